import { EXIT, type LogLevel } from '../../core/index.ts'
import { defineCommand } from '../command.ts'
import { OPTION } from '../options.ts'

export const command = defineCommand({
  description: [
    "Runs Hardhat's chain (id 31337) on 127.0.0.1 until Ctrl-C. It keeps nothing: each start is a new chain. Its 20 accounts, `dev:0` to `dev:19` wherever a command takes a key, hold 10,000 coins each and their keys are known to everybody.",
    'One JSON document, or one line, on stdout says when it runs.',
  ],
  options: { port: OPTION.port, blockTime: OPTION.blockTime, logLevel: OPTION.logLevel },
  examples: ['suprnova chain start', 'suprnova chain start --port 0 --json'],
  exits: { [EXIT.chain]: 'the port is taken, or Hardhat did not start' },
  endsOnSignal: true,
  async run(values, context) {
    const { startLocalChain } = await import('../../lab/index.ts')
    const { createLogger } = await import('../../api/index.ts')
    const log = createLogger(
      { level: values.logLevel as LogLevel },
      { clock: context.process, write: (line) => context.process.stderr.write(line) },
    )
    const { blockTime, port } = values
    const mining = blockTime === 0 ? { automineFirst: true } : { automineFirst: false, blockTimeMs: blockTime * 1_000 }
    const chain = await startLocalChain({ port, log, ...mining })
    const { chainId, rpcUrl, wsUrl } = chain
    const accounts = chain.accounts.map((account) => account.address)
    context.emit(
      { chainId, rpcUrl, wsUrl, accounts },
      `chain ${chainId} runs at ${rpcUrl}; \`suprnova chain deploy\` is next`,
    )
    if (!context.signal.aborted) {
      await new Promise<void>((end) => context.signal.addEventListener('abort', () => end(), { once: true }))
    }
    await chain.close()
    return undefined
  },
})
