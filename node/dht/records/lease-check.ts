import { KIND } from '../../core/index.ts'
import { type Admission, AUTHORITY, isLeaseValue, type PutBody } from '../../statements/index.ts'

export interface LeaseModules {
  readonly admission: Pick<Admission, 'admit'>
  /** Epochs back in which the carried PUT may be signed: the evidence window. */
  readonly pastEpochs: number
  /** Whether a stake is enlisted in a mesh; none is while meshes are not known. */
  readonly isEnlisted?: (meshId: Uint8Array, stakeId: number) => boolean
}

/** Whether the writer of a cell entry may speak for its agent. */
export class LeaseCheck {
  readonly #modules: LeaseModules

  constructor(modules: LeaseModules) {
    this.#modules = modules
  }

  /** @returns what is wrong; `undefined` when the writer is the authority, or holds its lease, or is enlisted in it */
  problem(put: PutBody & { readonly keyType: 3 }, writerStakeId: number, epoch: number): string | undefined {
    const { cell } = put
    switch (cell.authorityKind) {
      case AUTHORITY.writer:
        return cell.authorityStakeId === BigInt(writerStakeId) ? undefined : 'another stake is the authority'
      case AUTHORITY.mesh:
        return this.#modules.isEnlisted?.(cell.authorityMeshId, writerStakeId) === true
          ? undefined
          : 'the writer is not enlisted in the mesh that is the authority'
      case AUTHORITY.lease: {
        if (cell.leaseUntilEpoch < BigInt(epoch)) return `the lease ended with epoch ${cell.leaseUntilEpoch}`
        if (put.expiryEpoch > cell.leaseUntilEpoch) return 'the entry would outlive its lease'
        const { admission, pastEpochs } = this.#modules
        const verdict = admission.admit(cell.leaseFrame, { kinds: [KIND.put], repeats: 'accept', pastEpochs })
        if (verdict.outcome !== 'accept') return `the lease is ${verdict.reason}`
        if (BigInt(verdict.stakeId) !== cell.authorityStakeId) return 'the lease is not signed by the authority'
        const lease = verdict.bodies[0]?.body as PutBody
        const isThis = isLeaseValue(lease.valueRoot, {
          agentId: cell.agentId,
          hostStakeId: BigInt(writerStakeId),
          number: cell.leaseNumber,
          untilEpoch: cell.leaseUntilEpoch,
        })
        return isThis ? undefined : 'the lease is for another host, number or end'
      }
    }
  }
}
