/**
 * Sets a value in a map that keeps so many at most: the one that was set first is forgotten.
 * @param key not in the map yet
 */
export function setNewest<Key, Value>(map: Map<Key, Value>, key: Key, value: Value, most: number): void {
  map.set(key, value);
  const [oldest] = map.keys();
  if (oldest !== undefined && map.size > most) map.delete(oldest);
}
