import fc from 'fast-check';
import { expect, it } from 'vitest';
import { BytePool } from '../../src/adapters/byte-pool.ts';
import { HalfLine } from '../../src/adapters/half-line.ts';
import { maxRequestLineBytes } from '../../src/protocol/local.ts';

it('is what was appended, however it was cut', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 2_000 })), (parts) => {
      const pool = new BytePool(() => 1_048_576);
      const line = new HalfLine(pool);
      for (const part of parts) expect(line.append(Buffer.from(part))).toBeNull();
      expect(line.view().equals(Buffer.concat(parts))).toBe(true);
      line.clear();
      expect([line.length, pool.taken]).toEqual([0, 0]);
    }),
  );
});

it('does not grow beyond the longest line', () => {
  const line = new HalfLine(new BytePool(() => 2 * maxRequestLineBytes));
  expect(line.append(Buffer.alloc(maxRequestLineBytes))).toBeNull();
  expect(line.append(Buffer.alloc(1))).toBe('line too long');
  expect(line.length).toBe(maxRequestLineBytes);
});

it('shares a pool with the others, beyond 16 KiB of its own', () => {
  const pool = new BytePool(() => 65_536);
  const [first, second] = [new HalfLine(pool), new HalfLine(pool)];
  expect(first.append(Buffer.alloc(80_000))).toBeNull();
  expect(second.append(Buffer.alloc(16_384))).toBeNull();
  expect(second.append(Buffer.alloc(1))).toBe('pool exhausted');
  first.clear();
  expect(second.append(Buffer.alloc(1))).toBeNull();
});

it('costs about its bytes where they come one by one', () => {
  const line = new HalfLine(new BytePool(() => 16 * maxRequestLineBytes));
  const before = process.memoryUsage();
  const byte = Buffer.from('x');
  for (let length = 0; length < 500_000; length += 1) line.append(byte);
  const after = process.memoryUsage();
  expect(line.length).toBe(500_000);
  expect(after.arrayBuffers + after.heapUsed - before.arrayBuffers - before.heapUsed).toBeLessThan(16 * 1_048_576);
});
