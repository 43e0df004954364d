// The pictures beside the names of the pages: one stroke each.

import type { ComponentChildren } from 'preact';

const icon = (path: string): ComponentChildren => (
  <svg class="icon" viewBox="0 0 20 20" aria-hidden="true">
    <path d={path} fill="none" stroke="currentColor" stroke-width="1.5" stroke-linecap="round" stroke-linejoin="round" />
  </svg>
);

export const ICONS: Record<string, ComponentChildren> = {
  overview: icon('M3 10.5 10 4l7 6.5M5 9v7h10V9'),
  waiting: icon('M4 16v-1l1.5-2V9a4.5 4.5 0 0 1 9 0v4l1.500 2v1zM8.500 18h3'),
  agents: icon(
    'M7 10a3 3 0 1 0 0-6 3 3 0 0 0 0 6zM2 16.500c0-2.500 2-4.500 5-4.500s5 2 5 4.500M13 4.300a3 3 0 0 1 0 5.400M15 12.400c1.800.7 3 2.200 3 4.100',
  ),
  threads: icon('M4 4h12v9H9l-3.500 3v-3H4z'),
  tasks: icon('M4 5.500 5.500 7 8 4.500M4 13.500 5.500 15 8 12.500M11 6h6M11 14h6'),
  reminders: icon('M10 17a6.500 6.500 0 1 0 0-13 6.500 6.500 0 0 0 0 13zM10 7v3.500l2.500 1.500'),
  events: icon('M3 10h3l2-5 4 10 2-5h3'),
  health: icon('M10 16.500S3.500 12.500 3.500 8A3.500 3.500 0 0 1 10 6a3.500 3.500 0 0 1 6.500 2c0 4.500-6.500 8.500-6.500 8.500z'),
};
