import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';

export interface Certificate {
  readonly name: string;
  readonly key: KeyObject;
  /** PEM. */
  readonly cert: string;
}

export interface CertificateOptions {
  /** The host it is for, or the name of an authority. */
  readonly name: string;
  /** Unix milliseconds, before 2050. */
  readonly validFrom: number;
  readonly validTo: number;
  /** Who signs; it signs itself where nobody does. */
  readonly issuer?: Certificate;
  /** Whether it may sign others. */
  readonly isAuthority?: boolean;
}

const commonName = Buffer.from('0603550403', 'hex');
const alternativeName = Buffer.from('0603551d11', 'hex');
const basicConstraints = Buffer.from('0603551d13', 'hex');
const ecdsaWithSha256 = Buffer.from('300a06082a8648ce3d040302', 'hex');
const yes = Buffer.from('0101ff', 'hex');

/**
 * Makes an X.509 certificate (RFC 5280, 4.1), which node:crypto cannot. Made at test time, so that none expires before
 * its test and no private key stands in the repository.
 */
export function certificate({ name, validFrom, validTo, issuer, isAuthority }: CertificateOptions): Certificate {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const extension =
    isAuthority === true
      ? sequence(basicConstraints, yes, der(0x04, sequence(yes)))
      : sequence(alternativeName, der(0x04, sequence(der(0x82, Buffer.from(name)))));
  const body = sequence(
    der(0xa0, der(0x02, Buffer.of(2))),
    der(0x02, Buffer.of(1)),
    ecdsaWithSha256,
    distinguishedName(issuer?.name ?? name),
    sequence(utcTime(validFrom), utcTime(validTo)),
    distinguishedName(name),
    publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, sequence(extension)),
  );
  const signature = der(0x03, Buffer.of(0), sign('sha256', body, issuer?.key ?? privateKey));
  return { name, key: privateKey, cert: pem(sequence(body, ecdsaWithSha256, signature)) };
}

function der(tag: number, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  const head = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.of(tag, ...head), content]);
}

function sequence(...parts: readonly Buffer[]): Buffer {
  return der(0x30, ...parts);
}

function distinguishedName(name: string): Buffer {
  return sequence(der(0x31, sequence(commonName, der(0x0c, Buffer.from(name)))));
}

function utcTime(ms: number): Buffer {
  const digits = new Date(ms).toISOString().replace(/\D/g, '').slice(2, 14);
  return der(0x17, Buffer.from(`${digits}Z`));
}

function pem(bytes: Buffer): string {
  const lines = bytes.toString('base64').match(/.{1,64}/g) ?? [];
  return ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n');
}
