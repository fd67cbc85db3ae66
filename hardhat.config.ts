import { createRequire } from 'node:module'
import toolboxViem from '@nomicfoundation/hardhat-toolbox-viem'
import { defineConfig } from 'hardhat/config'

// solc comes from npm: naming its path keeps Hardhat from downloading a compiler.
const compiler = {
  version: '0.8.37',
  path: createRequire(import.meta.url).resolve('solc/soljson.js'),
  settings: { viaIR: true, optimizer: { enabled: true, runs: 10_000 }, evmVersion: 'cancun' },
}

// `npm test` looks at many inputs, `npm run test:long` at very many.
const isLong = process.env.SUPRNOVA_LONG === '1'

export default defineConfig({
  plugins: [toolboxViem],
  solidity: {
    // What is deployed never depends on which tests were compiled beside it.
    splitTestsCompilation: true,
    profiles: {
      default: { compilers: [compiler] },
      production: { compilers: [compiler] },
    },
  },
  test: {
    solidity: {
      // What both languages are held to.
      fsPermissions: { readDirectory: ['test/vectors'] },
      fuzz: { runs: isLong ? 10_000 : 128 },
      invariant: { runs: isLong ? 256 : 16, depth: isLong ? 256 : 64 },
    },
  },
})
