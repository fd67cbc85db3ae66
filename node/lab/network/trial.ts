import type { Address } from '../../core/index.ts'
import { SpeakerProcess } from '../peers/speaker-process.ts'
import { type ChainEvent, ChainLog } from './chain-log.ts'
import { egi } from './picture.ts'
import { CHATTER, type PrivateNetwork, type StakedMember } from './private-network.ts'
import type { Running } from './processes.ts'

/** When and where the chain stood as the second statement was sent. */
interface Lie {
  readonly head: number
  /** Unix milliseconds. */
  readonly atMs: number
}

/** One member turns liar, and what becomes of it is told: who, what, blocks, milliseconds, reward. */
export class Trial {
  readonly #network: PrivateNetwork
  readonly #tell: (line: string) => void
  readonly #log: ChainLog
  #liar: StakedMember | undefined
  #lie: Lie | undefined
  #committed = false

  constructor(network: PrivateNetwork, tell: (line: string) => void) {
    this.#network = network
    this.#tell = tell
    this.#log = new ChainLog(network.client, network.deployment, network.deployment.deployBlock)
  }

  /** Once it has turned. */
  get liar(): StakedMember | undefined {
    return this.#liar
  }

  /**
   * Ends the last member's node and lets a program without a guard say two things in one slot with its key: what a
   * thief of the key could do, or an operator that changed the program.
   */
  begin(running: ReadonlyMap<StakedMember, Running>, signal: AbortSignal): void {
    const liar = this.#network.members.at(-1) as StakedMember
    this.#liar = liar
    this.#tell(`${liar.name} turns liar: a program without a signing guard takes over its key`)
    this.#lying(liar, running.get(liar)).catch((error: unknown) => {
      if (!signal.aborted) this.#tell(`  ${liar.name} could not lie: ${error}`)
    })
  }

  /** Tells what the chain says about it since the last call. */
  async follow(): Promise<void> {
    if (this.#liar !== undefined && this.#lie === undefined) return
    for (const event of await this.#log.next()) {
      const words = this.#lie === undefined ? undefined : await this.#wordsOf(event, this.#lie)
      if (words !== undefined) this.#tell(`  ${words}`)
    }
  }

  async #lying(liar: StakedMember, node: Running | undefined): Promise<void> {
    await node?.stop()
    const minPeers = this.#network.members.length - 1
    const options = { ...this.#network.barePeer(liar.name, liar.node.privateKey), topic: CHATTER, minPeers }
    const speaker = new SpeakerProcess(`${liar.name}, lying`, options, this.#network.processes)
    await speaker.ready()
    const head = Number(await this.#network.client.getBlockNumber({ cacheTime: 0 }))
    const { atMs } = await speaker.order('twice', 'the stone is white', 'the stone is black')
    this.#tell(`  it signs "the stone is white" and "the stone is black" for one slot, at block ${head}`)
    this.#lie = { head, atMs }
  }

  async #wordsOf({ args, blockNumber, name, transactionHash }: ChainEvent, lie: Lie): Promise<string | undefined> {
    const liar = this.#liar?.name
    if (name === 'Committed' && !this.#committed) {
      this.#committed = true
      const { from } = await this.#network.client.getTransaction({ hash: transactionHash })
      return `${this.#nameOf(from)} saw both and commits to the proof in block ${blockNumber}, ${blockNumber - lie.head} after the lie`
    }
    if (name === 'FaultProven') {
      const blocks = blockNumber - lie.head
      const ms = Date.now() - lie.atMs
      return `${this.#nameOf(args.submitter)} proves it in block ${blockNumber}: ${blocks} blocks and ${ms} ms after the lie`
    }
    if (name === 'Slashed') {
      const lost = egi(BigInt(args.charged as string))
      return `${liar} (stake ${args.stakeId}) loses ${lost} EGI and ${args.tombstoned === true ? 'is silenced for ever' : 'is jailed'}`
    }
    if (name === 'Released') {
      const reward = egi(BigInt(args.amount as string))
      return `${this.#nameOf(args.beneficiary)} is credited ${reward} EGI: its commitment was the first`
    }
    return undefined
  }

  #nameOf(account: string | boolean | undefined): string {
    const address = String(account).toLowerCase() as Address
    const found = this.#network.members.find(({ gas, operator }) => [gas.address, operator.address].includes(address))
    return found?.name ?? address
  }
}
