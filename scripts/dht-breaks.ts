/** A promise of the DHT broken on purpose, in one place of its source. */
export interface Break {
  readonly name: string
  /** Below `node/`. */
  readonly file: string
  readonly find: string
  readonly replace: string
}

export const BREAKS: readonly Break[] = [
  {
    name: 'a receipt leaves before its record is durable',
    file: 'dht/records/record-book.ts',
    find: '    await this.#modules.table.write(writes)\n    this.#newestKeepEpoch = Math.max(this.#newestKeepEpoch, keepUntilEpoch)',
    replace:
      '    this.#modules.table.write(writes).catch(() => undefined)\n    this.#newestKeepEpoch = Math.max(this.#newestKeepEpoch, keepUntilEpoch)',
  },
  {
    name: 'the sweep ignores the time to answer',
    file: 'dht/records/record-book.ts',
    find: '- responseSeconds - skewSeconds) / epochSeconds)',
    replace: '- 0 * (responseSeconds + skewSeconds)) / epochSeconds) + 1',
  },
  {
    name: 'a superseded version is dropped at once',
    file: 'dht/records/record-book.ts',
    find: '...(current === undefined ? [] : [[olderKey(current), encodeMeta(current)] as const]),',
    replace: '...(current === undefined ? [] : [[valueKey(current), undefined] as const]),',
  },
  {
    name: 'a read skips the floor',
    file: 'dht/client/record-reads.ts',
    find: 'if (floor !== undefined && compareVersions(record.version, floor) < 0) {\n      outcomes',
    replace: 'if (floor !== undefined && compareVersions(record.version, floor) < -1e9) {\n      outcomes',
  },
  {
    name: 'a floor ends before the older versions do',
    file: 'dht/dht.ts',
    find: 'untilEpoch: () => this.reader.epoch() + 1 + lifeEpochs,',
    replace: 'untilEpoch: () => this.reader.epoch() + 1,',
  },
  {
    name: 'a value is not compared with what was signed',
    file: 'dht/records/put-reader.ts',
    find: "if (!equalBytes(chunkRoot(value), put.valueRoot)) return refused('invalid', 'the value is not the one signed')",
    replace: '',
  },
  {
    name: 'repair trusts the value it is shown',
    file: 'dht/repair/hand-over.ts',
    find: 'const record = reader.withValue(signed, value)',
    replace: 'const record = { ...signed, value: value.slice() }',
  },
  {
    name: 'a record that is over is shown and read',
    file: 'dht/records/put-reader.ts',
    find: 'if (put.expiryEpoch < BigInt(this.epoch())) return',
    replace: 'if (put.expiryEpoch < 0n) return',
  },
  {
    name: 'a stake without a voice is read',
    file: 'dht/records/put-reader.ts',
    find: ' && stakeView.maySpeak(stakeId)',
    replace: '',
  },
  {
    name: 'a retired key is read',
    file: 'dht/records/put-reader.ts',
    find: 'key.fromEpoch <= epoch && epoch < key.untilEpoch && ',
    replace: '',
  },
  {
    name: 'the signing guard is not asked',
    file: 'statements/statement-signer.ts',
    find: 'const position = await guard.reserve(kind)',
    replace:
      'const granted = await guard.reserve(kind)\n    const own = this as unknown as { index?: number }\n    own.index = (own.index ?? 0) + 1\n    const position = ((granted >> 32n) << 32n) | BigInt(own.index)',
  },
  {
    name: 'indices are handed out and never made durable',
    file: 'store/guard/open-guard.ts',
    find: 'const written = this.#write(this.#rows.writeMeteredEnd(kind, epoch, end), { mayFindNoRoom: true }).then(',
    replace: 'const written = Promise.resolve().then(',
  },
  {
    name: 'only the old table holds after a change',
    file: 'dht/placement/replica-tables.ts',
    find: 'const current = near.slice(0, replicas)',
    replace: 'const current = this.#table(epoch - 3)?.closest(key, replicas) ?? near.slice(0, replicas)',
  },
  {
    name: 'repair gives nothing',
    file: 'dht/repair/hand-over.ts',
    find: 'const outcome = await this.#send(stakeId, request, signed)',
    replace: "const outcome = request.length < 0 ? await this.#send(stakeId, request, signed) : 'held'",
  },
  {
    name: 'those who leave may not hand over',
    file: 'dht/repair/answers.ts',
    find: 'return tables.changed(now) && tables.table(now - 1)?.has(stakeId) === true',
    replace: 'return false',
  },
  {
    name: 'a receipt names another stake than signed the PUT',
    file: 'dht/replica/receipt-desk.ts',
    find: 'publisherStakeId: BigInt(writerStakeId),',
    replace: 'publisherStakeId: BigInt(writerStakeId + 1),',
  },
  {
    name: 'a store is done at one receipt',
    file: 'dht/client/store-tally.ts',
    find: 'return Math.min(this.#quorum, set.length)',
    replace: 'return 1',
  },
]
