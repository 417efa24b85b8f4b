import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { messageOf } from '../protocol/text.ts';

/** A file that names no authority to trust; the message says why. */
export class TrustError extends Error {
  override readonly name = 'TrustError';
}

const certificates = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/**
 * Has every TLS connection made from now on trust the authorities in a file (PEM) too, beside those that Node brings.
 * @throws {TrustError}
 */
export function trustAlso(file: string): void {
  const found = read(file).match(certificates) ?? [];
  if (found.length === 0) throw new TrustError('holds no certificate in PEM form');
  for (const [index, certificate] of found.entries()) {
    try {
      new X509Certificate(certificate);
    } catch {
      throw new TrustError(`cannot be used: certificate ${index + 1} of ${found.length} in it is damaged`);
    }
  }
  setDefaultCACertificates([...getCACertificates('default'), ...found]);
}

function read(file: string): string {
  try {
    return readFileSync(file, 'latin1');
  } catch (error) {
    throw new TrustError(`cannot be read: ${messageOf(error)}`);
  }
}
