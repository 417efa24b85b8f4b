import { type FailureClass, type FailureCode, failureCodes } from '../../protocol/failure.ts';

/** Codes that only a local program hears: docs/gateway.md has them. */
const ownCodes = {
  'bad-request': 'refused',
  'body-too-large': 'refused',
  'too-many-bodies': 'limited',
  'no-token': 'transient',
} as const satisfies Record<string, FailureClass>;

/** What figd itself says no with, where the venue has not been asked or has not answered. */
export type RefusalCode = FailureCode | keyof typeof ownCodes;

/** What sort of failure a code is. */
export function classOf(code: RefusalCode): FailureClass {
  return Object.hasOwn(ownCodes, code) ? ownCodes[code as keyof typeof ownCodes] : failureCodes[code as FailureCode][0];
}

/** A call that figd answers itself. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  /** The HTTP status it is told with. */
  readonly status: number;
  readonly code: RefusalCode;
  /** Milliseconds after which it may be tried again, where that is known. */
  readonly retryAfterMs: number | undefined;
  /** Whether the venue may have got the request, and done what it asks. */
  readonly sent: boolean;

  constructor(
    status: number,
    code: RefusalCode,
    message: string,
    { retryAfterMs, sent = false }: { readonly retryAfterMs?: number | undefined; readonly sent?: boolean } = {},
  ) {
    super(message);
    this.status = status;
    this.code = code;
    this.retryAfterMs = retryAfterMs;
    this.sent = sent;
  }
}
