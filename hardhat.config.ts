import { createRequire } from 'node:module'
import toolboxViem from '@nomicfoundation/hardhat-toolbox-viem'
import { defineConfig } from 'hardhat/config'

// solc comes from npm: naming its path keeps Hardhat from downloading a compiler.
const compiler = {
  version: '0.8.37',
  path: createRequire(import.meta.url).resolve('solc/soljson.js'),
  settings: { viaIR: true, optimizer: { enabled: true, runs: 10_000 }, evmVersion: 'cancun' },
}

// The long profile looks for hours at what the default one looks at for seconds.
const long = process.env.SUPRNOVA_LONG === '1'

export default defineConfig({
  plugins: [toolboxViem],
  test: {
    solidity: {
      fuzz: { runs: long ? 10_000 : 256 },
      // A handler that reverts has stopped testing: it must know what the contracts will say.
      invariant: { runs: long ? 500 : 10, depth: long ? 1_000 : 200, failOnRevert: true },
      fsPermissions: { readDirectory: ['test/vectors'] },
    },
  },
  solidity: {
    profiles: {
      default: { compilers: [compiler] },
      production: { compilers: [compiler] },
    },
  },
})
