import { unroutedChannel } from '../../protocol/local.ts';
import { layerNames, type StatusDocument } from '../../protocol/status.ts';
import { paintState } from './event-line.ts';
import { countOf, formatBytes, formatCount, formatMilliseconds, formatSpan, printable, type Style } from './style.ts';

/**
 * The state of the daemon in one line, for somebody who was just woken: how long it has been so and, when live, what
 * proves it; otherwise the layer that is broken, the evidence, and what happens next.
 *
 * @param now unix milliseconds, on the clock the document was made with
 */
export function headline(status: StatusDocument, now: number, style: Style): string {
  const state = style.bold(paintState(status.state, `${status.state} for ${formatSpan(now - status.since)}`, style));
  return status.state === 'live'
    ? [state, ...proofs(status, now)].join(' · ')
    : [`${state}: ${printable(cause(status))}`, printable(next(status, now))].filter((part) => part !== '').join(' · ');
}

/** The document for people: {@link headline}, then what stands behind it. Ends with a line feed. */
export function statusView(status: StatusDocument, now: number, style: Style): string {
  const blocks = [
    [headline(status, now, style)],
    status.state === 'live'
      ? []
      : section(
          'why',
          [status.reason, status.next].filter((text) => text !== ''),
          style,
        ),
    section('layers', layerLines(status, now, style), style),
    section('token', [tokenLine(status, now)], style),
    section('session', [sessionLine(status, now), ...lastCloseLines(status, now)], style),
    section('channels', channelLines(status, now, style), style),
    section('consumers', consumerLines(status, now), style),
    section('journal', journalLines(status, style), style),
    section('gateway', [gatewayLine(status)], style),
    section('gaps', [gapLine(status)], style),
    section('unknown', unknownLines(status, now), style),
    section('daemon', [`figd ${status.version}, pid ${status.pid}, up ${formatSpan(now - status.startedAt)}`], style),
  ];
  return `${blocks.flat().join('\n')}\n`;
}

function proofs({ token, session, channels, consumers }: StatusDocument, now: number): readonly string[] {
  const { rttMs } = session.heartbeat;
  const confirmed = channels.filter(({ state }) => state === 'confirmed').length;
  const wanted = channels.filter(({ state }) => state !== 'unsubscribed').length;
  const events = channels.reduce((sum, channel) => sum + channel.events, 0);
  const last = Math.max(...channels.map(({ lastEventAt }) => lastEventAt ?? 0));
  return [
    ...(token.refreshAt === null ? [] : [renewal(token.refreshAt, now, 'token renews')]),
    ...(rttMs === null ? [] : [`heartbeat ${formatMilliseconds(rttMs)}`]),
    `${confirmed}/${wanted} channels`,
    last > 0 ? `${countOf(events, 'event')}, last ${formatSpan(now - last)} ago` : 'no events yet',
    countOf(consumers.length, 'consumer'),
  ];
}

function renewal(at: number, now: number, what: string): string {
  return at > now ? `${what} in ${formatSpan(at - now)}` : `${what} now`;
}

/** The reason, with the layer it begins with set apart from the evidence. */
function cause({ reason }: StatusDocument): string {
  const layer = layerNames.find((name) => reason.startsWith(`${name}: `));
  return layer === undefined ? reason : `${layer} — ${reason.slice(layer.length + 2)}`;
}

function next({ session, next: plan }: StatusDocument, now: number): string {
  const { nextAttemptAt, attempts } = session;
  // The first sentence says what happens; the advice behind it stands in the section below.
  const [action = ''] = plan.split('. ');
  return nextAttemptAt === null ? action : `${renewal(nextAttemptAt, now, 'next try')} (attempt ${attempts + 1})`;
}

const sectionWidth = 11;

/** Lines under a name, which stands before the first. */
function section(name: string, lines: readonly string[], style: Style): readonly string[] {
  return lines.map((line, index) => style.dim((index === 0 ? name : '').padEnd(sectionWidth)) + line);
}

function layerLines({ layers }: StatusDocument, now: number, style: Style): readonly string[] {
  return layers.map(({ name, ok, evidence, since }) => {
    const mark = ok ? style.good('✓') : style.bad('✗');
    return `${mark} ${name.padEnd(14)}${printable(evidence)}${style.dim(`, for ${formatSpan(now - since)}`)}`;
  });
}

function tokenLine({ token }: StatusDocument, now: number): string {
  const { state, refreshAt, expiresAt, refreshes, lastError } = token;
  return [
    state,
    ...(refreshAt === null ? [] : [renewal(refreshAt, now, state === 'valid' ? 'renews' : 'asks again')]),
    ...(expiresAt === null ? [] : [renewal(expiresAt, now, 'expires')]),
    `renewed ${countOf(refreshes, 'time')}`,
    ...(lastError === null ? [] : [`last error ${lastError.code}: ${printable(lastError.message)}`]),
  ].join(', ');
}

function sessionLine({ session }: StatusDocument, now: number): string {
  const { id, state, url, connectedAt, heartbeat, clockOffsetMs } = session;
  return [
    `${id === null ? '' : `#${id} `}${state}`,
    printable(url),
    ...(connectedAt === null ? [] : [`up ${formatSpan(now - connectedAt)}`]),
    ...(heartbeat.lastAckAt === null ? [] : [`heartbeat answered ${formatSpan(now - heartbeat.lastAckAt)} ago`]),
    ...(heartbeat.missed === 0 ? [] : [`${heartbeat.missed} missed`]),
    ...(clockOffsetMs === null ? [] : [clockText(clockOffsetMs)]),
  ].join(', ');
}

function clockText(offsetMs: number): string {
  return `venue clock ${formatMilliseconds(Math.abs(offsetMs))} ${offsetMs < 0 ? 'behind' : 'ahead'}`;
}

function lastCloseLines({ session: { lastClose } }: StatusDocument, now: number): readonly string[] {
  if (lastClose === null) return [];
  return [`last closed ${formatSpan(now - lastClose.at)} ago: ${lastClose.code}, ${printable(lastClose.message)}`];
}

function channelLines({ channels }: StatusDocument, now: number, style: Style): readonly string[] {
  const width = Math.max(...channels.map(({ name }) => name.length)) + 2;
  return channels.map(({ name, state, events, lastEventAt }) => {
    const last = lastEventAt === null ? '' : `, last ${formatSpan(now - lastEventAt)} ago`;
    const painted = {
      confirmed: style.good,
      pending: style.warning,
      refused: style.bad,
      unsubscribed: style.dim,
    }[state](name === unroutedChannel ? 'frames without a channel' : state);
    return `${printable(name).padEnd(width)}${painted}, ${countOf(events, 'event')}${last}`;
  });
}

function consumerLines({ consumers }: StatusDocument, now: number): readonly string[] {
  if (consumers.length === 0) return ['none'];
  return consumers.map(({ id, channels, position, lag, bufferedBytes, connectedAt }) => {
    const behind = lag === 0 ? 'in step' : `${formatCount(lag)} behind`;
    const held = bufferedBytes === 0 ? '' : `, ${formatBytes(bufferedBytes)} buffered`;
    const who = `#${id} ${channels.map(printable).join(' ')}`;
    return `${who} at ${formatCount(position)}, ${behind}${held}, for ${formatSpan(now - connectedAt)}`;
  });
}

/** What the venue said in codes that figd does not know: somebody should teach it. */
function unknownLines({ unknownCodes }: StatusDocument, now: number): readonly string[] {
  return unknownCodes.map(
    ({ what, count, lastAt, message }) =>
      `${what}, ${countOf(count, 'time')}, last ${formatSpan(now - lastAt)} ago: ${printable(message)}`,
  );
}

/** How far back the events reach, and whether they are kept. */
function journalLines({ journal }: StatusDocument, style: Style): readonly string[] {
  const { enabled, oldest, head, written, bytes, trouble } = journal;
  const range = head < oldest ? 'no events yet' : `events ${formatCount(oldest)} to ${formatCount(head)}`;
  if (!enabled) return [`off, ${range}, in memory only`];
  const unwritten = head - (written ?? head);
  const kept = unwritten === 0 ? 'all written' : `${formatCount(unwritten)} not written yet`;
  return [
    `${range}, ${kept}, ${formatBytes(bytes)} on disk`,
    ...(trouble === null ? [] : [style.bad(printable(trouble))]),
  ];
}

/** How much of the venue's limit of HTTP requests is used, and whether local programs use it too. */
function gatewayLine({ gateway: { socket, inFlight, limit } }: StatusDocument): string {
  const { requestsPerMinute, used, usedByOthers, waiting, closedForMs } = limit;
  return [
    socket === null ? 'off' : `${printable(socket)}, ${countOf(inFlight, 'call')} in flight`,
    `${formatCount(used)} of ${formatCount(requestsPerMinute)} requests a minute used`,
    ...(usedByOthers === 0 ? [] : [`${formatCount(usedByOthers)} by others with the same key or address`]),
    ...(waiting === 0 ? [] : [`${formatCount(waiting)} waiting`]),
    ...(closedForMs === 0 ? [] : [`the venue wants none for ${formatSpan(closedForMs)}`]),
  ].join(', ');
}

function gapLine({ gaps: { open, total, blindMsTotal } }: StatusDocument): string {
  return total === 0
    ? 'none'
    : `${formatCount(open)} open of ${formatCount(total)}, blind for ${formatSpan(blindMsTotal)} in all`;
}
