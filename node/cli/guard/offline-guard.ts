import { join } from 'node:path'
import type { CoordinatorPin } from '../../chain/index.ts'
import type { Address, ProtocolParams } from '../../core/index.ts'
import type { OpenGuard } from '../../store/index.ts'
import type { Context } from '../context.ts'
import { ConfigError } from '../errors.ts'
import { openClient } from '../network/connect.ts'

/**
 * Opens the signing guard of a node that does not run, for as long as `use` takes. The numbers of the deployment, which
 * bind the guard, are the pinned ones; the RPC is asked only by a pin that lacks them. Signs nothing and needs no key.
 * @throws what `store` throws when another process holds the directory or the key
 */
export async function withGuard<T>(
  values: { readonly dataDir: string; readonly rpc: readonly string[] },
  address: Address,
  context: Context,
  use: (guard: OpenGuard) => T | Promise<T>,
): Promise<T> {
  const { readPin } = await import('../../chain/index.ts')
  const { lockDataDirectory, machineEnvironment, openGuard, openStore } = await import('../../store/index.ts')
  const pin = await readPin(values.dataDir)
  if (pin === undefined) throw notPinned(values.dataDir)
  const rules = pin.params ?? (await askParams(pin, values.rpc))
  const lock = await lockDataDirectory(values.dataDir, { address })
  try {
    const store = await openStore(join(values.dataDir, 'store'))
    try {
      const domain = domainOf(pin)
      const guard = await openGuard(
        { address, domain, rules },
        {
          table: store.table('guard'),
          environment: machineEnvironment(
            { dataDirectory: values.dataDir, address, domain },
            { clock: context.process, reference: () => undefined },
          ),
        },
      )
      try {
        return await use(guard)
      } finally {
        await guard.close()
      }
    } finally {
      await store.close()
    }
  } finally {
    lock.release()
  }
}

/** Pins of an earlier version do not hold the numbers. */
async function askParams(pin: CoordinatorPin, rpc: readonly string[]): Promise<ProtocolParams> {
  const { explainChainError, readParams } = await import('../../chain/index.ts')
  const { client } = await openClient(rpc)
  return readParams({ client, deployment: pin }).catch((error: unknown) => {
    throw explainChainError(error)
  })
}

function domainOf(pin: CoordinatorPin) {
  return { chainId: pin.chainId, verifyingContract: pin.registry, salt: pin.salt }
}

function notPinned(dataDir: string): ConfigError {
  return new ConfigError('NOT_PINNED', `${dataDir} is not pinned to a coordinator, so it has no signing guard`, {
    hint: '`suprnova node run` pins it at its first start; name the right one with --data-dir',
    values: { dataDir },
  })
}
