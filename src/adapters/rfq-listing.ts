import type { Clock } from '../protocol/clock.ts';
import { FailureError, failure } from '../protocol/failure.ts';
import { isRecord, parseJson } from '../protocol/json-rpc.ts';
import { elementBytes, memberBytes } from '../protocol/raw-json.ts';
import { isSuccess, statusFailure } from './http-failures.ts';
import type { Rest } from './rest.ts';
import type { Vault } from './vault.ts';

export interface RfqListingOptions {
  readonly rest: Rest;
  readonly vault: Vault;
  readonly clock: Clock;
}

/** A page of the venue's list. */
export interface RfqPage {
  readonly rfqs: readonly unknown[];
  /** The bytes of the RFQ at an index, as the venue wrote them. */
  readonly bytesAt: (index: number) => Buffer;
  /** Where the next page begins; null on the last one. */
  readonly cursor: string | null;
}

export interface RfqQuery {
  /** Unix milliseconds on the venue's clock. */
  readonly startTime: number;
  readonly endTime: number;
  readonly cursor: string | null;
}

const path = '/v1/rfq';
/** The documented maximum. */
const pageSize = 1_000;

/** The venue's list of RFQs, `GET /v1/rfq`: what reconciles a gap. */
export class RfqListing {
  readonly #options: RfqListingOptions;

  constructor(options: RfqListingOptions) {
    this.#options = options;
  }

  /**
   * @param signal aborted when nobody wants the page any more
   * @throws {FailureError} what the venue or the network said; `bad-reply` where the answer is no list
   */
  async page({ startTime, endTime, cursor }: RfqQuery, signal?: AbortSignal): Promise<RfqPage> {
    const { rest, vault, clock } = this.#options;
    const query = new URLSearchParams({
      startTime: String(Math.max(0, Math.floor(startTime))),
      endTime: String(Math.ceil(endTime)),
      limit: String(pageSize),
      ...(cursor === null ? {} : { cursor }),
    });
    const answer = await rest.call({ method: 'GET', path: `${path}?${query}`, signal });
    const what = `GET ${path}`;
    if (!isSuccess(answer.status)) {
      throw new FailureError(statusFailure(what, answer, (text) => vault.quote(text), clock.wall()));
    }
    const body = parseJson(answer.body);
    const rfqs = isRecord(body) ? body['results'] : body;
    if (!Array.isArray(rfqs)) throw new FailureError(failure('bad-reply', `${what}: the answer holds no list of RFQs`));
    return {
      rfqs,
      bytesAt: rawElements(answer.body, isRecord(body)),
      cursor: isRecord(body) ? nextCursor(body) : null,
    };
  }
}

/** Most pages hold nothing that was missed: the bytes are looked for only when somebody asks. */
function rawElements(body: string, isWrapped: boolean): (index: number) => Buffer {
  let elements: readonly Buffer[] | undefined;
  return (index) => {
    elements ??= elementBytes(arrayBytes(body, isWrapped));
    return elements[index] ?? Buffer.from('null');
  };
}

function arrayBytes(body: string, isWrapped: boolean): Buffer {
  const json = Buffer.from(body);
  return (isWrapped ? memberBytes(json, 'results') : json) ?? Buffer.from('[]');
}

/** How the venue marks the last page is not documented: nothing, null and an empty text all say so. */
function nextCursor({ cursor }: Record<string, unknown>): string | null {
  if (typeof cursor === 'number') return String(cursor);
  return typeof cursor === 'string' && cursor !== '' ? cursor : null;
}
