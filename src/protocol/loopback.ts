/**
 * Whether a host is this machine. `hostname` is as WHATWG URL gives it, which has already made 127.1 or 0x7f.1 into
 * 127.0.0.1; an IPv6 address may be without its brackets.
 */
export function isLoopback(hostname: string): boolean {
  return /^(?:localhost|\[::1\]|::1|127\.\d+\.\d+\.\d+)$/.test(hostname);
}
