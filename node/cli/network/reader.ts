import { resolve } from 'node:path'
import type { LightClient } from '../../api/index.ts'
import type { Address } from '../../core/index.ts'
import type { Context } from '../context.ts'
import { UsageError } from '../errors.ts'
import { described } from '../option.ts'
import { DEFAULT_COORDINATOR, LOCAL_RPC, OPTION } from '../options.ts'
import type { CoordinatorName } from '../values/network.ts'
import { deploymentIn } from './deployment-file.ts'

/** The options with which a command reads without a node. */
export const LIGHT = {
  light: OPTION.light,
  snapshot: OPTION.snapshot,
  rpc: OPTION.rpc,
  coordinator: described(
    OPTION.coordinator,
    `ENS name of the coordinator, plain or as a URL, for --light (default: ${DEFAULT_COORDINATOR})`,
  ),
  ensRegistry: OPTION.ensRegistry,
  bootstrap: OPTION.bootstrap,
}

/** Their values, with the data directory whose deployment file may name the ENS registry. */
export interface ReaderValues {
  readonly dataDir: string
  readonly snapshot: string | undefined
  readonly rpc: readonly string[]
  readonly coordinator: CoordinatorName | undefined
  readonly ensRegistry: Address | undefined
  readonly bootstrap: readonly string[]
}

/** Opens a reader in this process. Its caller closes it. */
export async function openReader(values: ReaderValues, context: Context): Promise<LightClient> {
  const { openLightClient } = await import('../../api/index.ts')
  const { coordinator = { name: DEFAULT_COORDINATOR }, dataDir, snapshot } = values
  if (snapshot === undefined && 'address' in coordinator) {
    throw new UsageError('COORDINATOR_NOT_A_NAME', '--coordinator takes an ENS name here, not an address', {
      hint: 'or give --snapshot FILE',
      values: { coordinator: coordinator.address },
    })
  }
  const ensRegistry = values.ensRegistry ?? (await deploymentIn(dataDir))?.ensRegistry
  const source =
    snapshot !== undefined
      ? { snapshot: resolve(context.process.cwd, snapshot) }
      : {
          coordinator: 'name' in coordinator ? coordinator.name : undefined,
          rpcUrls: values.rpc.length === 0 ? [LOCAL_RPC] : values.rpc,
          ...(ensRegistry === undefined ? {} : { ensRegistry }),
        }
  const bootstrap = values.bootstrap.length === 0 ? {} : { bootstrap: values.bootstrap }
  return openLightClient({ ...source, ...bootstrap }, { signal: context.signal })
}
