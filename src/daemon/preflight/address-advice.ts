import { isPrivate, outgoingAddress } from './network.ts';

const pace = 'figd does not press: it asks again after 30 s, then less and less often, down to once in 5 minutes.';

/** What to do about a key that is not taken from the address of this host. */
export async function adviseOnAddress(url: string, timeoutMs: number, proxy: URL | null): Promise<string> {
  if (proxy !== null) {
    return `Add the address from which the proxy ${proxy.host} goes out to the IP allow-list of the key at the venue. ${pace}`;
  }
  const address = await outgoingAddress(url, timeoutMs);
  return `Add the address of this host to the IP allow-list of the key at the venue${whichAddress(address)}. ${pace}`;
}

function whichAddress(address: string | null): string {
  if (address === null) return '';
  if (!isPrivate(address)) return `: it goes there from ${address}`;
  return `: it goes there from ${address}, a private address, so that the venue sees the public one of your network`;
}
