import type { KeyTenure, StakeRow } from '../../core/index.ts'
import { ChainError } from '../errors.ts'
import type { CompletePin } from '../pin.ts'
import type { ChainStakeView } from '../stake-view/interface.ts'
import { canSpeak } from '../stake-view/reducer.ts'
import type { PlacedSince, RegistrySnapshot } from './registry-snapshot.ts'

/**
 * What a node knows of the registry, for readers that follow no chain.
 * @param options `epoch` now; `bootstrap`: where readers may dial
 */
export function snapshotOfView(
  view: ChainStakeView,
  pin: CompletePin,
  options: { readonly epoch: number; readonly lagSeconds: number; readonly bootstrap: readonly string[] },
): RegistrySnapshot {
  const { bootstrap, epoch, lagSeconds } = options
  const head = view.head()
  if (head === undefined) {
    throw new ChainError('CHAIN_SILENT', 'the chain has not been heard yet, so there is nothing to write down', {
      exitCode: 75,
      hint: 'try again once `suprnova node status` shows a head',
    })
  }
  const at = view.at(head.number)
  const stakes: StakeRow[] = []
  const keys: KeyTenure[] = []
  for (const { newestKey, speaksSinceBlock: _, ...row } of at.stakes()) {
    stakes.push(row)
    for (let address = newestKey as typeof newestKey | undefined; address !== undefined; ) {
      const key = at.key(address)
      if (key === undefined) break
      const { previousKey, ...tenure } = key
      keys.push(tenure)
      address = previousKey
    }
  }
  const { epochSeconds } = pin.params
  const exactThroughEpoch = Math.floor((head.timestamp + lagSeconds) / epochSeconds)
  const placed: PlacedSince[] = []
  for (let tableEpoch = Math.min(epoch - 1, exactThroughEpoch); tableEpoch <= exactThroughEpoch; tableEpoch++) {
    const fromSeconds = tableEpoch * epochSeconds - lagSeconds
    const stakeIds = [...(view.atTime(fromSeconds)?.stakes() ?? [])]
      .filter((row) => canSpeak(row) && row.placement !== undefined)
      .map(({ stakeId }) => stakeId)
    const before = placed.at(-1)?.stakeIds
    const isSame = before?.length === stakeIds.length && before.every((stakeId, index) => stakeId === stakeIds[index])
    if (!isSame) placed.push({ fromSeconds, stakeIds })
  }
  const { chainId, coordinator, genesisHash, name, params, registry, salt } = pin
  return {
    deployment: { name, chainId, genesisHash, coordinator, registry, salt, params },
    block: { number: Number(head.number), hash: head.hash, timestamp: head.timestamp },
    ...{ lagSeconds, stakes, keys, placed, exactThroughEpoch, bootstrap },
  }
}
