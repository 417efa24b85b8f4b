import type { NetworkSettings } from '../../config/settings.ts';
import type { FailureCode } from '../../protocol/failure.ts';

const proxyVariables = ['HTTPS_PROXY', 'https_proxy', 'ALL_PROXY', 'all_proxy'];

/** What to do where there is no way to the venue, or no trust in who is at its end. */
export function adviseOnWay(
  code: FailureCode,
  { proxy, caFile }: NetworkSettings,
  env: NodeJS.ProcessEnv,
): string | undefined {
  if (code === 'proxy-refused') return undefined;
  if (code === 'tls-failed') return caFile === undefined ? onAuthority : undefined;
  if (proxy !== 'off') return `Check network.proxy, ${new URL(proxy).host}, and that it may connect to the venue.`;
  // Other programs find the proxy of a network there.
  const named = proxyVariables.find((name) => (env[name] ?? '') !== '');
  if (named === undefined) return undefined;
  return `This network may have no other way out than a proxy: ${named} names one here, and figd takes it from network.proxy.`;
}

const onAuthority =
  'Check the clock. Where this network looks into TLS, its own authority signs: name that in network.caFile, ' +
  'for example /etc/ssl/certs/ca-certificates.crt.';
