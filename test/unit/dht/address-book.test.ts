import { beforeEach, describe, expect, it } from 'vitest'
import { type Address, SuprnovaError, type Timers } from '../../../node/core/index.ts'
import { ADDRESS_RECORD, AddressBook } from '../../../node/dht/addresses/address-book.ts'
import { encodeAddresses } from '../../../node/dht/addresses/address-list.ts'
import type { Draft } from '../../../node/dht/client/record-client.ts'
import { SortedReplicaTable } from '../../../node/dht/index.ts'
import { type CarriedPut, encodeFound, encodeRefused } from '../../../node/dht/protocol/messages.ts'
import type { PutReader } from '../../../node/dht/records/put-reader.ts'
import { keccak256, ownerKey } from '../../../node/statements/index.ts'
import { silent } from '../../integration/net/harness.ts'

const NAME_HASH = keccak256(new Uint8Array(Buffer.from(ADDRESS_RECORD)))
const HERE = '/ip4/203.0.113.7/tcp/4001'
const THERE = '/ip4/203.0.113.8/tcp/4001'
const LIFE_EPOCHS = 60
/** Whose addresses are looked for. */
const SOUGHT = 3

const addressOf = (stakeId: number) => `0x${String(stakeId).padStart(40, '0')}` as Address
const placement = (stakeId: number) => keccak256(Uint8Array.of(stakeId))

/** A frame stands for what the real reader would find in it: who wrote which key, how new. */
interface Shown {
  readonly recordKey: Uint8Array
  readonly position: bigint
  readonly isValid: boolean
}

describe('the address book', () => {
  let epoch: number
  let own: string[]
  let drafts: Draft[]
  let failure: Error | undefined
  let mayWrite: boolean
  let connected: Set<number>
  let asked: number[]
  let answers: Map<number, Uint8Array>
  let frames: Map<number, Shown>

  beforeEach(() => {
    epoch = 1_000
    own = [HERE]
    drafts = []
    failure = undefined
    mayWrite = true
    connected = new Set([1, 2, 4, 5])
    asked = []
    answers = new Map()
    frames = new Map()
  })

  function book(modules: Partial<ConstructorParameters<typeof AddressBook>[0]> = {}): AddressBook {
    const table = new SortedReplicaTable(
      epoch,
      [1, 2, 3, 4, 5].map((stakeId) => ({ stakeId, placement: placement(stakeId) })),
    )
    const reader = {
      epoch: () => epoch,
      read: (frame: Uint8Array) => {
        const shown = frames.get(frame[0] as number)
        if (shown === undefined) return { refused: 'invalid', detail: '' }
        return { recordKey: shown.recordKey, version: { rank: 0n, position: shown.position, leaf: 0 }, frame }
      },
      withValue: (signed: { readonly frame: Uint8Array }, value: Uint8Array) =>
        frames.get(signed.frame[0] as number)?.isValid ? { ...signed, value } : { refused: 'invalid', detail: '' },
    } as unknown as PutReader
    return new AddressBook({
      client: {
        lifeEpochs: LIFE_EPOCHS,
        store: async (draft) => {
          if (failure !== undefined) throw failure
          drafts.push(draft)
          return undefined as never
        },
      },
      peers: {
        isOwn: (stakeId) => stakeId === 5,
        addressOf,
        ask: async (stakeId) => {
          asked.push(stakeId)
          const answer = answers.get(stakeId)
          if (answer === undefined) throw new SuprnovaError('REQUEST_TIMEOUT', 'silent')
          return answer
        },
      },
      tables: {
        table: () => table,
        setsOf: () => ({ sets: [], members: [], standIns: [] }),
        changed: () => false,
      },
      reader,
      isConnected: (address) => [...connected].some((stakeId) => addressOf(stakeId) === address),
      mayWrite: () => mayWrite,
      ownAddresses: () => own,
      timers: { after: () => () => {} },
      logger: silent,
      ...modules,
    })
  }

  /** Lets a replica show a record. */
  function shows(stakeId: number, addresses: readonly string[], shown: Partial<Shown> = {}): void {
    const frame = Uint8Array.of(stakeId)
    frames.set(stakeId, { recordKey: ownerKey(SOUGHT, NAME_HASH), position: 1n, isValid: true, ...shown })
    const put: CarriedPut = { frame, value: encodeAddresses(addresses) }
    answers.set(stakeId, encodeFound([put]))
  }

  describe('writing', () => {
    it('writes what changed or grew old, and nothing else', async () => {
      const addresses = book()
      await addresses.look()
      await addresses.look()
      expect(drafts).toHaveLength(1)
      expect(drafts[0]).toMatchObject({ keyType: 1, keyPreimage: NAME_HASH, value: encodeAddresses([HERE]) })
      own = [HERE, THERE]
      await addresses.look()
      expect(drafts).toHaveLength(2)
      epoch += LIFE_EPOCHS / 2 - 1
      await addresses.look()
      expect(drafts).toHaveLength(2)
      epoch += 1
      await addresses.look()
      expect(drafts).toHaveLength(3)
    })

    it('writes nothing without an address or a voice, and again what failed', async () => {
      const addresses = book()
      own = []
      await addresses.look()
      own = [HERE]
      mayWrite = false
      await addresses.look()
      expect(drafts).toEqual([])
      mayWrite = true
      failure = new SuprnovaError('DHT_TOO_FEW_RECEIPTS', 'away')
      await addresses.look()
      failure = undefined
      await addresses.look()
      expect(drafts).toHaveLength(1)
      failure = new TypeError('a fault of the program is not hidden')
      epoch += LIFE_EPOCHS
      await expect(addresses.look()).rejects.toThrow(TypeError)
    })

    it('looks again and again while it runs, and not after', async () => {
      const due: (() => void)[] = []
      let cancelled = 0
      const timers: Timers = {
        after(_delayMs, run) {
          due.push(run)
          return () => cancelled++
        },
      }
      const addresses = book({ timers })
      addresses.start()
      due.shift()?.()
      await expect.poll(() => due.length).toBe(1)
      expect(drafts).toHaveLength(1)
      await addresses.stop()
      expect(cancelled).toBe(1)
    })
  })

  describe('finding', () => {
    it('asks connected replicas and itself alone, and takes the newest', async () => {
      connected.delete(4)
      shows(1, [HERE], { position: 7n })
      shows(2, [THERE], { position: 8n })
      shows(4, ['/ip4/203.0.113.9/tcp/1'], { position: 9n })
      expect(await book().find(SOUGHT)).toEqual([THERE])
      expect(asked.sort()).toEqual([1, 2, 5])
    })

    it('believes nothing that is not the sought stake’s own word', async () => {
      shows(1, [HERE], { recordKey: ownerKey(1, NAME_HASH), position: 99n })
      shows(2, [HERE], { isValid: false, position: 98n })
      answers.set(4, encodeRefused('not-mine'))
      answers.set(5, Uint8Array.of(0xff))
      expect(await book().find(SOUGHT)).toEqual([])
    })
  })
})
