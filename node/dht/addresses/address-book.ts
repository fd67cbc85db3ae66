import { type Address, equalBytes, type Logger, SuprnovaError, type Timers } from '../../core/index.ts'
import { KEY_TYPE, keccak256, ownerKey } from '../../statements/index.ts'
import type { RecordClient } from '../client/record-client.ts'
import type { ReplicaTables, SignedPut } from '../interface.ts'
import { decodeFetchAnswer, encodeFetch } from '../protocol/messages.ts'
import type { ReplicaPeers } from '../protocol/peers.ts'
import { isRefused, type PutReader } from '../records/put-reader.ts'
import { compareVersions } from '../records/version.ts'
import { decodeAddresses, encodeAddresses } from './address-list.ts'

/** Milliseconds between two looks at whether the own addresses must be written: changed, not written yet, half their life gone. */
export const ADDRESS_LOOK_MS = 15_000
/** Stakes asked for an address record: its replicas, those before a change, and those that stand in. */
const FIND_STAKES = 10

/** The name under which each stake writes where its node is. */
export const ADDRESS_RECORD = 'suprnova/addresses'
const NAME_HASH = keccak256(new Uint8Array(Buffer.from(ADDRESS_RECORD, 'utf8')))

export interface AddressBookModules {
  readonly client: Pick<RecordClient, 'store' | 'lifeEpochs'>
  readonly peers: Pick<ReplicaPeers, 'ask' | 'isOwn' | 'addressOf'>
  readonly tables: ReplicaTables
  readonly reader: PutReader
  readonly isConnected: (address: Address) => boolean
  /** Whether the own stake may write now. */
  readonly mayWrite: () => boolean
  /** Where this node can be dialled; `undefined` for one that is not to be found by record. */
  readonly ownAddresses: (() => readonly string[]) | undefined
  readonly timers: Timers
  readonly logger: Logger
}

/**
 * Where nodes can be dialled, as records of their stakes: a second way to an address when the routing table has none or a
 * false one. Who writes it is who can be dialled there, so nobody can send others astray but from itself.
 */
export class AddressBook {
  readonly #modules: AddressBookModules
  #written: { readonly value: Uint8Array; readonly epoch: number } | undefined
  #cancel: (() => void) | undefined
  #writing: Promise<void> = Promise.resolve()
  #isRunning = false

  constructor(modules: AddressBookModules) {
    this.#modules = modules
  }

  start(): void {
    if (this.#modules.ownAddresses === undefined) return
    this.#isRunning = true
    this.#schedule()
  }

  async stop(): Promise<void> {
    this.#isRunning = false
    this.#cancel?.()
    await this.#writing
  }

  /** Writes the own addresses if they changed, were not written yet, or are at half their life. */
  async look(): Promise<void> {
    const { client, logger, mayWrite, ownAddresses, reader } = this.#modules
    const value = encodeAddresses(ownAddresses?.() ?? [])
    if (value.length === 0 || !mayWrite()) return
    const epoch = reader.epoch()
    const isFresh = this.#written !== undefined && epoch - this.#written.epoch < client.lifeEpochs / 2
    if (isFresh && equalBytes(this.#written?.value as Uint8Array, value)) return
    try {
      await client.store({ keyType: KEY_TYPE.owner, keyPreimage: NAME_HASH, value })
      this.#written = { value, epoch }
    } catch (error) {
      if (!(error instanceof SuprnovaError)) throw error
      logger.debug('own addresses could not be written, and will be tried again', { code: error.code })
    }
  }

  /**
   * Where the node of a stake can be dialled, by the newest record that connected replicas show. Only those connected are
   * asked: an address that needs another address first would never end.
   */
  async find(stakeId: number): Promise<readonly string[]> {
    const { isConnected, peers, reader, tables } = this.#modules
    const recordKey = ownerKey(stakeId, NAME_HASH)
    const near = tables.table(reader.epoch())?.closest(recordKey, FIND_STAKES) ?? []
    const asked = near.filter((replica) => {
      const address = peers.addressOf(replica)
      return peers.isOwn(replica) || (address !== undefined && isConnected(address))
    })
    const request = encodeFetch({ recordKey, entry: new Uint8Array(32), values: true })
    const shown = await Promise.all(asked.map((replica) => this.#ask(replica, request, recordKey)))
    let newest: (SignedPut & { readonly value: Uint8Array }) | undefined
    for (const record of shown) {
      if (record === undefined) continue
      if (newest === undefined || compareVersions(newest.version, record.version) < 0) newest = record
    }
    return newest === undefined ? [] : decodeAddresses(newest.value)
  }

  /** What one replica shows, verified as any other read. */
  async #ask(replica: number, request: Uint8Array, recordKey: Uint8Array) {
    const { logger, peers, reader } = this.#modules
    try {
      const answer = decodeFetchAnswer(await peers.ask(replica, request))
      const carried = answer.status === 'found' ? answer.puts[0] : undefined
      if (carried?.value === undefined) return undefined
      const signed = reader.read(carried.frame)
      if (isRefused(signed) || !equalBytes(signed.recordKey, recordKey)) return undefined
      const record = reader.withValue(signed, carried.value)
      return isRefused(record) ? undefined : record
    } catch (error) {
      if (!(error instanceof SuprnovaError)) throw error
      logger.debug('a replica gave no addresses', { stakeId: replica, code: error.code })
      return undefined
    }
  }

  #schedule(): void {
    this.#cancel = this.#modules.timers.after(ADDRESS_LOOK_MS, () => {
      this.#writing = this.look()
        .catch((error: unknown) => this.#modules.logger.warn('own addresses could not be written', { error }))
        .then(() => {
          if (this.#isRunning) this.#schedule()
        })
    })
  }
}
