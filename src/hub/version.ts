// The version of this program: apart from the hub, for who only says it.

export const VERSION = '0.1.0';
