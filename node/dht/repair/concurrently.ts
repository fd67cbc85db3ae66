/** Does `work` for each item, `limit` at a time, until all are done or one says `false`. */
export async function concurrently<T>(
  items: Iterable<T>,
  limit: number,
  work: (item: T) => Promise<boolean>,
): Promise<void> {
  const iterator = items[Symbol.iterator]()
  let goesOn = true
  const worker = async () => {
    for (let next = iterator.next(); goesOn && !next.done; next = iterator.next()) {
      if (!(await work(next.value))) goesOn = false
    }
  }
  await Promise.all(Array.from({ length: limit }, worker))
}
