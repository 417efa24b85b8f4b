/** The right to give out sequence numbers. */
export interface Grant {
  readonly epoch: string;
  /** The highest number of that epoch that may be given. */
  readonly ceiling: number;
}

/**
 * Sees to it that no sequence number is given twice in an epoch, whatever is killed when: a number may be given only
 * once it is kept somewhere that it may have been.
 */
export interface Numbers {
  readonly epoch: string;
  /** The first number this run may give. */
  readonly first: number;
  /** Whether that is right behind the last one of the run before, all of whose events can be read. */
  readonly isContinuous: boolean;
  /**
   * Allows numbers up to `seq` and some more. Where that cannot be kept, a new epoch begins: the grant then names
   * another epoch, whose first number is 1.
   */
  raise(seq: number): Grant;
  /** Told after each turn how far the numbers were used, to make room ahead of need. Returns the ceiling. */
  used(head: number): number;
}

/** Numbers of a log that ends with the process. */
export function passingNumbers(epoch: string): Numbers {
  const ceiling = Number.MAX_SAFE_INTEGER;
  return { epoch, first: 1, isContinuous: false, raise: () => ({ epoch, ceiling }), used: () => ceiling };
}
