import * as z from 'zod';
import { isLoopback } from '../protocol/loopback.ts';
import { unlike } from './values.ts';

// The kinds of URL a key can have; see values.ts.

/** A URL of one scheme, secure unless its host is this machine. Blanks around it and a slash at its end are dropped. */
export function url(scheme: 'http' | 'ws', example: string) {
  const general = `write ${scheme === 'ws' ? 'a wss' : 'an https'} URL, for example ${example}`;
  return z
    .string({ error: ({ input }) => `${unlike('a URL', input)}; ${general}` })
    .meta({ format: 'uri', examples: [example] })
    .transform((text, context) => {
      const parsed = URL.parse(text);
      const fault = parsed === null ? `is not a URL; ${general}` : urlFault(parsed, scheme, general);
      if (fault !== undefined) {
        context.addIssue(fault);
      }
      return text.trim().replace(/\/+$/, '');
    });
}

function urlFault(parsed: URL, scheme: 'http' | 'ws', general: string): string | undefined {
  const plain = `${scheme}:`;
  if (parsed.protocol !== plain && parsed.protocol !== `${scheme}s:`) {
    return `is not ${scheme === 'ws' ? 'a wss or ws' : 'an https or http'} URL; ${general}`;
  }
  if (parsed.username !== '' || parsed.password !== '') {
    return 'has a user name or password in it; leave them out: credentials go under credentials';
  }
  if (parsed.protocol === plain && !isLoopback(parsed.hostname)) {
    return `is plain ${scheme} to another host, where everyone on the way can read it; use ${scheme}s (plain ${scheme} is for localhost, 127.0.0.0/8 and [::1])`;
  }
  return parsed.hash === '' ? undefined : 'has a fragment (#…); leave it out';
}

/** An HTTP proxy, or `off`. YAML 1.1 tools write that word as false, so that this is taken too. */
export function proxy(example: string) {
  const advice = `write ${example}, or off`;
  return z
    .union([z.string(), z.literal(false)], { error: ({ input }) => `${unlike('a URL', input)}; ${advice}` })
    .meta({ examples: [example, 'off'] })
    .transform((text, context): string => {
      if (text === 'off' || text === false) return 'off';
      const parsed = URL.parse(text);
      const fault = parsed === null ? 'is not a URL' : proxyFault(parsed);
      if (fault !== undefined) context.addIssue(`${fault}; ${advice}`);
      return parsed?.origin ?? '';
    });
}

function proxyFault({ protocol, username, password, pathname, search, hash }: URL): string | undefined {
  if (protocol !== 'http:' && protocol !== 'https:') return 'is not the http or https URL of a proxy';
  if (username !== '' || password !== '') return 'has a user name or password in it, and figd gives none to a proxy';
  return pathname === '/' && search === '' && hash === '' ? undefined : 'has more than a host and a port';
}
