// Texts that would do something if a terminal were given them as they are, and what is active in a text.

/** What a terminal obeys, hides or turns round. */
export const TERMINAL_CORPUS: readonly string[] = [
  '\u001b[31mred\u001b[0m',
  '\u001b]52;c;ZXZpbA==\u0007',
  '\u001b]8;;https://evil.example\u001b\\link\u001b]8;;\u001b\\',
  '\u001bPq#0;2;0;0;0\u001b\\',
  '\u009b2J\u009d0;title\u009c',
  '\u001b[2J\u001b[H\u001b[3J$ rookery approve apr_1',
  '\u001b[8mhidden\u001b[28m\u001b[1A\u001b[2K',
  '\u001b[6n\u001b[c\u001b[21t\u001bZ',
  '\u001b]0;title\u0007\u001b]1337;File=inline=1:AAAA\u0007',
  '\u001b]777;notify;a;b\u001b\\\u001b]9;4;3\u0007',
  '\u001bc\u001b#8\u001b(0lqk\u000f\u000e',
  '\u001b[?1049h\u001b[?1000h\u001b[?2004l',
  '\u001b[200~rm -rf ~\n\u001b[201~',
  '\u009d52;c;ZXZpbA==\u009c',
  '\u001b_Gf=24;AAAA\u001b\\\u001b^pm\u001b\\\u001bXsos\u001b\\',
  'over\rwritten',
  'back\b\b\b\bspace',
  'bell\u0007 vertical\u000b form\u000c del\u007f nul\u0000',
  'user\u202egnp.exe\u202c',
  '\u2066isolated\u2069 \u061c \u200e \u200f',
  'zero\u200bwidth\u200c\u200d\u2060\ufeff',
  'tags\u{e0001}\u{e0041}\u{e007f}',
  'variation\ufe0f\u{e0100}\u{e01ef}',
  'soft\u00adhyphen grapheme\u034fjoiner hangul\u115f\u1160\u3164\uffa0 braille\u2800',
  'line\u2028paragraph\u2029next\u0085',
  'private\ue000\u{f0000} lone\ud800',
  'interlinear\ufff9\ufffa\ufffb shorthand\u{1bca0} music\u{1d173}',
];
/** What a terminal obeys or does not show. */
export const ACTIVE = /[\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u2800]/u;
