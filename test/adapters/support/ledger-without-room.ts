import { openLedger } from '../../../src/adapters/sqlite-ledger.ts';
import { gap, range, start } from './ledger.ts';

// A process of its own, because a limit on the size of files holds for a whole process.
const [directory = '', count = ''] = process.argv.slice(2);
const told: (string | null)[] = [];
const ledger = openLedger(directory, { now: () => start, retainFor: 1, onTrouble: (message) => told.push(message) });
for (const id of range(Number(count))) ledger.save(gap(id));
process.stdout.write(JSON.stringify({ told, kept: ledger.gapsSince(0).length }));
