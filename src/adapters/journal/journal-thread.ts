/**
 * The thread in which the journal and the ledger meet the disk: whatever the disk does, events go on in the main one.
 */
import { join } from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';
import { contentsOf } from '../../log/memory-ledger.ts';
import { type OpenLedger, openLedger } from '../sqlite-ledger.ts';
import { DirectoryLock } from './directory-lock.ts';
import type { FileBlock } from './journal-block.ts';
import { journalFileName } from './journal-file.ts';
import { JournalKeeper } from './journal-keeper.ts';
import type { Answers, FromThread, LedgerChange, Question, SharedBlock, ThreadStart, ToThread } from './messages.ts';

const tidyMs = 60_000;

const { directory, retainFor, retainBytes } = workerData as ThreadStart;
const tell = (message: FromThread, transfer: ArrayBuffer[] = []) => parentPort?.postMessage(message, transfer);
/** Held until the process ends, however it ends. */
const lock = new DirectoryLock(directory);
let epoch: string | null = null;

let claimed = lock.claim();
if (claimed === 'taken') {
  const nothing = { beganAt: 0, lastId: 0, heard: null, paces: { dial: [], token: [] } };
  tell({ tell: 'opened', isTaken: true, isOurs: false, wasDamaged: false, ledger: { ...nothing, gaps: [] } });
} else serve();

function serve(): void {
  const journal = new JournalKeeper({
    path: join(directory, journalFileName),
    retainFor,
    retainBytes,
    now: Date.now,
    claim,
    onTrouble: (message) => tell({ tell: 'trouble', of: 'journal', message }),
  });
  journal.read((file) => file.tidy(Date.now()), undefined);
  const ledger = openLedger(directory, {
    now: Date.now,
    retainFor,
    onTrouble: (message) => tell({ tell: 'trouble', of: 'ledger', message }),
  });
  const { wasDamaged } = journal;
  tell({ tell: 'opened', isTaken: false, isOurs: claimed === 'ours', wasDamaged, ledger: contentsOf(ledger) });
  const tidying = setInterval(() => {
    journal.read((file) => file.tidy(Date.now()), undefined);
    tellFigures(journal);
  }, tidyMs);
  parentPort?.on('message', (message: ToThread) => {
    if ('change' in message) {
      if (message.change === 'retention') journal.retain(message.retention);
      else if (message.change === 'ledger') ledger.complete(message.ledger);
      else change(ledger, message);
      return;
    }
    const { id, question } = message;
    const answer = answerTo(question, journal);
    const transfer = typeof answer === 'object' && answer !== null ? answer.chunks.map(({ buffer }) => buffer) : [];
    if (question.ask === 'close') {
      clearInterval(tidying);
      ledger.close();
      journal.close();
      lock.release();
      parentPort?.removeAllListeners();
    }
    tell({ tell: 'answer', id, answer }, transfer as ArrayBuffer[]);
  });
}

function answerTo(question: Question, journal: JournalKeeper): Answers[keyof Answers] {
  switch (question.ask) {
    case 'last': {
      const last = journal.read((file) => file.last(question.epoch), 0);
      return journal.wasDamaged ? null : last;
    }
    case 'write': {
      epoch = question.epoch;
      const blocks = question.blocks.map(fileBlock);
      const isWritten = journal.write((file) => file.write(question.epoch, question.hole, blocks, Date.now()));
      tellFigures(journal);
      return isWritten;
    }
    case 'read':
      return journal.read(
        (file) => file.read(question.epoch, question.from, question.channels, question.maxBytes),
        null,
      );
    case 'since':
      return journal.read((file) => file.firstSince(question.epoch, question.since), null);
    case 'close':
      return true;
  }
}

function fileBlock({ first, last, memory, offset, length }: SharedBlock): FileBlock {
  return { first, last, lines: Buffer.from(memory, offset, length) };
}

function tellFigures(journal: JournalKeeper): void {
  const name = epoch;
  if (name === null) return;
  const figures = journal.read((file) => file.figures(name), null);
  if (figures !== null) tell({ tell: 'figures', epoch: name, ...figures });
}

function change(ledger: OpenLedger, message: LedgerChange): void {
  switch (message.change) {
    case 'save':
      ledger.save(message.gap, message.heard);
      break;
    case 'heard':
      ledger.markHeard(message.heard);
      break;
    case 'pace':
      ledger.pace(message.what, message.at);
      break;
  }
}

/** Somebody may have removed the directory, and with it what keeps others out. */
function claim(): void {
  claimed = lock.claim();
  tell({ tell: 'claimed', isOurs: claimed === 'ours' });
  if (claimed === 'taken') throw new Error('another figd uses the directory by now');
}
