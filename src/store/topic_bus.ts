/** Hints between the parts of one process. */
export interface TopicBus {
  notify(topic: string, message: string): void;
  subscribe(topic: string, listener: (message: string) => void): () => void;
}

export function createTopicBus(): TopicBus {
  const listeners = new Map<string, Set<(message: string) => void>>();
  return {
    notify(topic, message) {
      for (const listener of listeners.get(topic) ?? []) {
        queueMicrotask(() => {
          if (listeners.get(topic)?.has(listener)) listener(message);
        });
      }
    },
    subscribe(topic, listener) {
      const ofTopic = listeners.get(topic) ?? new Set();
      listeners.set(topic, ofTopic);
      ofTopic.add(listener);
      return () => {
        ofTopic.delete(listener);
        if (ofTopic.size === 0 && listeners.get(topic) === ofTopic) listeners.delete(topic);
      };
    },
  };
}
