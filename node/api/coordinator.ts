import {
  acceptCoordinator,
  type ChainClient,
  type CompletePin,
  type PinModules,
  pinCoordinator,
  resolveCoordinator,
} from '../chain/index.ts'
import type { Logger } from '../core/index.ts'
import type { NodeConfig } from './config.ts'

type Named = Pick<NodeConfig, 'dataDir' | 'coordinator' | 'ensRegistry' | 'acceptCoordinator'>

const registryOf = ({ ensRegistry }: Named) => (ensRegistry === undefined ? {} : { ensRegistry })

/** The coordinator this data directory belongs to: pinned at first use, moved only by `acceptCoordinator`. */
export async function pinOf(config: Named, modules: PinModules): Promise<CompletePin> {
  const { dataDir, coordinator, acceptCoordinator: address } = config
  const options = { dataDir, coordinator, ...registryOf(config) }
  return address === undefined ? pinCoordinator(options, modules) : acceptCoordinator({ ...options, address }, modules)
}

/** Whom to dial first: as configured, else as the ENS name hints. A name that does not answer keeps nobody from starting. */
export async function bootstrapOf(
  config: Named & Pick<NodeConfig, 'bootstrap'>,
  { client, logger }: { client: ChainClient; logger: Logger },
): Promise<readonly string[]> {
  if (config.bootstrap.length > 0) return config.bootstrap
  try {
    return (await resolveCoordinator(client, config.coordinator, registryOf(config))).bootstrap
  } catch (error) {
    logger.warn('the name gives no addresses to dial first', { coordinator: config.coordinator, error })
    return []
  }
}
