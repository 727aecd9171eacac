/**
 * Work on one server happens one after the other, work on different servers at once.
 *
 * What reads, stores and shows a server's tools takes such turns: a listing that is being stored would
 * otherwise undo a decision, and a decision could be about a definition that nobody saw.
 */
export type InTurn = <Result>(server: string, work: () => Promise<Result>) => Promise<Result>;

export function createTurns(): InTurn {
  /** Server to the last of its turns; never rejects. */
  const turns = new Map<string, Promise<unknown>>();
  return (server, work) => {
    const turn = (turns.get(server) ?? Promise.resolve()).then(work);
    turns.set(server, turn.catch(() => {}));
    return turn;
  };
}
