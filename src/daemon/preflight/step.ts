import { advice, type Failure, FailureError, failureOf } from '../../protocol/failure.ts';

/** The outcome of one step: what was found, or what is wrong and what to do. */
export interface StepOutcome {
  readonly step: string;
  readonly result: 'ok' | 'failed' | 'skipped';
  readonly detail: string;
  readonly advice?: string;
}

/** What a step found wrong by itself. */
export class StepFailure extends Error {
  readonly advice: string;

  constructor(message: string, what: string) {
    super(message);
    this.advice = what;
  }
}

/** What to do about a failure, where more can be found out than its code tells; `undefined`: nothing more. */
export type Explain = (found: Failure) => Promise<string | undefined> | string | undefined;

/** Does a step; whatever it throws is its outcome. */
export async function attempt(step: string, run: () => Promise<string>, explain: Explain): Promise<StepOutcome> {
  try {
    return { step, result: 'ok', detail: await run() };
  } catch (error) {
    if (error instanceof StepFailure) return { step, result: 'failed', detail: error.message, advice: error.advice };
    if (!(error instanceof FailureError) && error instanceof Error) {
      return { step, result: 'failed', detail: error.message };
    }
    const found = failureOf(error);
    return { step, result: 'failed', detail: found.message, advice: (await explain(found)) ?? advice(found.code) };
  }
}

export function skipped(step: string, missing: string): StepOutcome {
  return { step, result: 'skipped', detail: `needs ${missing}` };
}
