import type { GapRecord } from '../../src/protocol/ledger.ts';
import type { GapMessage } from '../../src/protocol/local.ts';
import type { EventRecord } from '../../src/simulator/ports.ts';
import { ChannelGaps, type TrueGap } from './channel-gaps.ts';
import type { Heard } from './consumer.ts';
import { beginning } from './host.ts';
import { lookIntervalMs, type World } from './world.ts';

type Report = (invariant: string, detail: string) => void;

interface Sent {
  readonly at: number;
  readonly frame: string;
  /** How long it may have been on its way. */
  readonly slack: number;
}

interface ChannelAccount {
  readonly sent: Sent[];
  /** How many of them have been received or are known to be missing. */
  accounted: number;
}

/** When figd looks around and writes down when it heard the venue last, that was so long ago at most: a heartbeat. */
const longestSilenceMs = 40_000;
/** What a second session took over from may have been dead: until it is asked, the gap is open at its end. */
const toleratedMs = 6_000;
/** What a second session brings is held back so long at most, for what the first one may still bring. */
const heldBackMs = 500;

/** A comparison that keeps failing is given up after 90 s, and the end of the day is calm. */
const settledWithinMs = 5 * 60_000;

/** After a restart a reader catches up from the disk in so many steps at most, each up to one and a half times its latency. */
const fetches = 12;

const stillBlind = () => ({ until: Number.POSITIVE_INFINITY });

const rfqOf = (frame: string): { readonly id: number; readonly status: string } | null => {
  const id = /"rfqId":(\d+),"productId"/.exec(frame)?.[1];
  const status = /"status":"(\w+)"/.exec(frame)?.[1];
  return id === undefined || status === undefined ? null : { id: Number(id), status };
};

/** Compares what the venue published with what a reader got, event by event, and gaps with what is missing. */
export class Accounts {
  readonly #world: World;
  readonly #report: Report;
  readonly #channels = new Map<string, ChannelAccount>();
  readonly #gaps = new Map<number, TrueGap>();
  readonly #missing: (Sent & { readonly channel: string })[] = [];
  /** What became of each RFQ at the venue, and what a reader knows of it. */
  readonly #statusAtVenue = new Map<
    number,
    { readonly channel: string; readonly status: string; readonly at: number }
  >();
  readonly #statusKnown = new Map<number, string>();
  /** What the wall clock of the host was off when figd last wrote down that the venue is heard. */
  #offsetAtMark = 0;
  /** What that was at the end of each run so far. */
  readonly #ends: { readonly at: number; readonly offset: number }[] = [];
  /** The gaps as the ledger has them once they are settled. */
  readonly #settled = new Map<number, TrueGap>();
  #lookedUp: readonly TrueGap[] = [];
  readonly channelGaps: ChannelGaps;
  /** Gaps that the machines have told of and a reader has not read yet: one that is found out afterwards is over by then. */
  readonly #untold: { until: number }[] = [];
  /** Those that were untold when their run ended: the disk may tell of them yet. */
  readonly #unread: { until: number }[] = [];
  /** When figd was live for the first time of all: from then on the ledger is complete. */
  #liveSince = Number.POSITIVE_INFINITY;
  /** When each run of the daemon was live for the first time. */
  readonly #firstLives: number[] = [];
  #wasLive = false;
  /** The venue's latest delay, and until when it may still show. */
  #delay = { ms: 0, until: Number.NEGATIVE_INFINITY };
  /** Since when there is one socket again after there were two; null while there are two. */
  #oneSince: number | null = Number.NEGATIVE_INFINITY;

  constructor(world: World, report: Report) {
    this.#world = world;
    this.#report = report;
    this.channelGaps = new ChannelGaps(() => world.scheduler.now);
  }

  sent({ channel, frame }: EventRecord): void {
    const at = this.#world.scheduler.now;
    this.#account(channel).sent.push({ at, frame, slack: this.#slack() + this.#held(at) });
    const rfq = rfqOf(frame);
    if (rfq !== null) this.#statusAtVenue.set(rfq.id, { channel, status: rfq.status, at });
  }

  /** The venue answers late, and sends what is queued behind it late as well. */
  onDelay(ms: number, forMs: number): void {
    const { now } = this.#world.scheduler;
    const before = now < this.#delay.until ? this.#delay : { ms: 0, until: 0 };
    this.#delay = { ms: Math.max(ms, before.ms), until: Math.max(now + forMs + ms + 60_000, before.until) };
  }

  received({ channel, message, seq, isLate }: Heard): void {
    const account = this.#account(channel);
    const index = this.#indexOf(account, message, isLate ? fetches * this.#world.plan.setting.diskLatency : 0);
    if (index === -1) {
      if (channel !== 'venue.unrouted' && !isMalformed(message)) {
        this.#report('no event comes twice', `${channel} ${seq}: ${message.slice(0, 160)}`);
      }
      return;
    }
    for (const sent of account.sent.slice(account.accounted, index)) this.#missing.push({ channel, ...sent });
    account.accounted = index + 1;
    const rfq = rfqOf(message);
    if (rfq !== null) this.#statusKnown.set(rfq.id, rfq.status);
  }

  #indexOf({ sent, accounted }: ChannelAccount, message: string, late: number): number {
    for (let at = accounted; at < sent.length; at += 1) {
      const each = sent[at];
      if (each?.frame === message && this.#mayArriveNow(each, late)) return at;
    }
    return -1;
  }

  /** The same bytes may be sent again later: what was sent too long ago to arrive now is not it. */
  #mayArriveNow({ at, slack: onItsWay }: Sent, late: number): boolean {
    const slack = onItsWay + late;
    const { scheduler, judge, frozenUntil } = this.#world;
    const heldUntil = Math.max(frozenUntil, judge.resumedAt);
    const heldBack = this.#oneSince === null || this.#oneSince === scheduler.now ? heldBackMs : 0;
    return (
      at >= scheduler.now - slack - heldBack || (at <= heldUntil + slack && scheduler.now <= heldUntil + slack + 1_000)
    );
  }

  /** After every event. */
  afterEvent(): void {
    const { run, scheduler } = this.#world;
    if ((run?.wires.held ?? 0) > 1) this.#oneSince = null;
    else this.#oneSince ??= scheduler.now;
  }

  reconciled(message: string): void {
    const rfq = rfqOf(message);
    if (rfq !== null) this.#statusKnown.set(rfq.id, rfq.status);
  }

  gap(gap: GapMessage): void {
    const { host } = this.#world;
    if (gap.phase === 'open') {
      const before = this.#gaps.get(gap.id);
      if (before !== undefined) return;
      const ofChannel = this.channelGaps.get(gap.id);
      if (ofChannel !== undefined) {
        this.#gaps.set(gap.id, ofChannel);
        return;
      }
      const since = gap.cause === 'daemon-died' ? this.#diedSince(gap.since) : gap.since - beginning - host.offset;
      const { until } = this.#endOf(gap.cause, since) ?? stillBlind();
      this.#gaps.set(gap.id, { id: gap.id, channels: gap.channels, since, until });
      return;
    }
    const open = this.#gaps.get(gap.id);
    if (open === undefined) this.#report('a gap is opened before it is closed', `gap ${gap.id}`);
    else {
      this.#checkLength(open, gap.blindMs);
      if (gap.reconciled === true) this.#checkBook(open);
    }
  }

  /**
   * A reader that is behind learns of it when another run has died since. The run it is about is the one that was alive
   * at the moment told.
   */
  #diedSince(told: number): number {
    const moments = this.#ends.map(({ at, offset }) => ({ at, since: told - beginning - offset }));
    const fits = moments.findLast(({ at, since }) => since <= at && since > at - lookIntervalMs - longestSilenceMs);
    return (fits ?? moments.at(-1))?.since ?? told - beginning;
  }

  #endOf(cause: string, since: number): { readonly until: number } | undefined {
    if (cause.startsWith('daemon-')) return this.#readLate(since);
    // A reader may learn from the disk, when another run has begun, of what was not told to it before.
    const isOfEarlierRun = since < (this.#ends.at(-1)?.at ?? 0);
    return isOfEarlierRun ? this.#unread.find(({ until }) => until > since) : this.#untold.shift();
  }

  /** After a restart a reader catches up from the disk, and may read of the gap when it is over. */
  #readLate(since: number): { readonly until: number } | undefined {
    // A run may have been heard the last time when it was live for the first time.
    const until = this.#firstLives.find((at) => at > since + 10);
    return until === undefined ? undefined : { until };
  }

  /** Nothing changes about a gap any more: it is in the ledger. */
  settled({ id, until, blindMs, channels }: GapRecord): void {
    const end = (until ?? 0) - beginning - this.#world.host.offset;
    this.#settled.set(id, { id, channels, since: end - (blindMs ?? 0), until: end });
  }

  /** A reader that is told that a crash has cost it events looks into the ledger: those of a gap may be among them. */
  lookUp(): void {
    this.#lookedUp = [...this.#settled.values()];
  }

  /** figd has noticed a gap. Those of a whole session are followed by what the machines tell. */
  opened(gap: GapRecord): void {
    this.channelGaps.opened(gap, beginning + this.#world.host.offset);
  }

  /** A live session was lost. */
  onLost(): void {
    this.#untold.push(stillBlind());
  }

  /** The venue is heard again; told in `figd.gap` once it is known what was missed. */
  onHeardAgain(): void {
    const { now } = this.#world.scheduler;
    if (!this.#wasLive) this.#firstLives.push(now);
    this.#wasLive = true;
    this.#liveSince = Math.min(this.#liveSince, now);
    this.onMark();
    const ofSessions = [...this.#gaps.values()].filter(({ id }) => this.channelGaps.get(id) === undefined);
    for (const gap of [...ofSessions, ...this.#untold, ...this.#unread])
      if (gap.until === Number.POSITIVE_INFINITY) gap.until = now;
  }

  /**
   * figd writes down when it last heard the venue, by its clock as it is now. Should it die before it does so again,
   * that is when the gap begins, whatever the clock is set to in between.
   */
  onMark(): void {
    this.#offsetAtMark = this.#world.host.offset;
  }

  #checkLength(gap: TrueGap, blindMs: number): void {
    const length = gap.until - gap.since;
    if (gap.wasUnwanted === true) return;
    if (Math.abs(length - blindMs) <= toleratedMs + this.#slack()) return;
    this.#report(
      'the length of a gap is true',
      `gap ${gap.id}: told ${Math.round(blindMs)} ms, lasted ${Math.round(length)}`,
    );
  }

  onEnded(): void {
    this.#ends.push({ at: this.#world.scheduler.now, offset: this.#offsetAtMark });
    this.#unread.push(...this.#untold);
    this.#untold.length = 0;
    this.#wasLive = false;
  }

  atTheEnd(): void {
    const { now } = this.#world.scheduler;
    for (const { id, until } of this.#gaps.values()) {
      if (until > now - settledWithinMs || this.#settled.has(id)) continue;
      this.#report('a gap that is over is settled', `gap ${id} is over since ${Math.round(until)}`);
    }
    for (const [channel, { sent, accounted }] of this.#channels) {
      for (const rest of sent.slice(accounted))
        if (rest.at < now - 5_000 - this.#slack()) this.#missing.push({ channel, ...rest });
    }
    for (const { at, channel, frame, slack } of this.#missing) {
      if (at < this.#liveSince || !this.#world.judge.isWanted(channel, at) || this.#isInGap(channel, at, slack))
        continue;
      this.#report('what is missing lies in a gap', `${channel} at ${Math.round(at)}: ${frame.slice(0, 120)}`);
    }
  }

  /** What figd says it has reconciled, a reader now knows. */
  #checkBook(gap: TrueGap): void {
    const now = this.#world.scheduler.now;
    const settledBefore = now - 5_000 - this.#slack();
    for (const [rfq, { channel, status, at }] of this.#statusAtVenue) {
      if (at < gap.since || at > Math.min(gap.until, settledBefore)) continue;
      if (!gap.channels.includes(channel) || !this.#world.judge.isWanted(channel, at)) continue;
      const known = this.#statusKnown.get(rfq);
      if (known !== status) {
        this.#report(
          'a reconciled gap hides nothing',
          `gap ${gap.id}: RFQ ${rfq} is ${status}, a reader knows ${known}`,
        );
      }
    }
  }

  #isInGap(channel: string, at: number, slack: number): boolean {
    const known = [...this.#gaps.values(), ...this.#lookedUp].filter(({ channels }) => channels.includes(channel));
    return known.some(({ since, until }) => at >= since - slack && at <= until + slack);
  }

  /** No clock of figd's can know how long a frame was on its way. */
  #slack(): number {
    const { latency, jitter } = this.#world.plan.setting;
    const { now } = this.#world.scheduler;
    return 2 * (latency + jitter) + 5 + (now < this.#delay.until ? 2 * this.#delay.ms : 0);
  }

  /** What the network, or a process that does not run for a moment that nobody notices, holds up. */
  #held(at: number): number {
    const { frozenUntil, judge } = this.#world;
    return Math.max(0, frozenUntil - at) + (judge.isPaused ? lookIntervalMs + 1_000 : 0);
  }

  #account(channel: string): ChannelAccount {
    const known = this.#channels.get(channel);
    if (known !== undefined) return known;
    const account = { sent: [], accounted: 0 };
    this.#channels.set(channel, account);
    return account;
  }
}

/** Frames of the fault of that name are sent beside the market. */
function isMalformed(message: string): boolean {
  return message.includes('rfq.unknown') || message.includes('\\n') || message.startsWith('{  ');
}
