import { drawNetwork, type NetworkView, sumUpNetwork } from './picture.ts'
import { Screen, type Terminal } from './screen.ts'

/** Without a terminal a summary is printed this often. */
const SUMMARY_EVERY_SECONDS = 5

/** Shows a network: a picture redrawn in place on a terminal, plain lines elsewhere. */
export class LiveView {
  readonly #terminal: Terminal
  readonly #screen: Screen
  readonly #events: string[] = []
  #summedUpAt = Number.NEGATIVE_INFINITY
  #toldCommands = false

  constructor(terminal: Terminal) {
    this.#terminal = terminal
    this.#screen = new Screen(terminal)
  }

  /** What happened so far. */
  get events(): readonly string[] {
    return this.#events
  }

  /** Says what happened: at once on its own line where there is no terminal, in the next picture otherwise. */
  tell(event: string): void {
    this.#events.push(event)
    if (!this.#terminal.isTty) this.#terminal.write(`${event}\n`)
  }

  show(view: NetworkView): void {
    if (this.#terminal.isTty) {
      this.#screen.draw(drawNetwork(view))
      return
    }
    if (!this.#toldCommands) {
      this.#toldCommands = true
      this.#terminal.write(
        `coordinator ${view.coordinator.name} -> ${view.coordinator.address}, chain ${view.chain.rpcUrl}\n`,
      )
      for (const { command, shows } of view.commands) this.#terminal.write(`try: ${command}   # ${shows}\n`)
    }
    if (view.seconds - this.#summedUpAt < SUMMARY_EVERY_SECONDS) return
    this.#summedUpAt = view.seconds
    this.#terminal.write(`${sumUpNetwork(view)}\n`)
  }

  end(): void {
    this.#screen.end()
  }
}
