/** What the start page says. A translation is another object of this type. */
export const homeWords = {
  question: 'Where does this model come from?',
  answer:
    'Model Heritage reads the family tree of neural networks from their weights: which came from which, what was done on the way, and how sure that is.',
  add: 'Add Model',
  browse: 'Browse the models',
  drop: 'Add checkpoints',
  totals: 'Totals',
  loading: 'the totals',
  steps: {
    title: 'The first three steps',
    list: [
      {
        title: 'Add a base model',
        text: 'A safetensors, PyTorch, GGUF or NumPy checkpoint, whole or in parts. It is read, never executed.',
      },
      {
        title: 'Add what came from it',
        text: 'A fine-tune, a quantised copy, a merge: the name does not matter.',
      },
      {
        title: 'See the tree',
        text: 'The parent, what was done to it and how sure that is, drawn and explained.',
      },
    ],
  },
  demo: {
    title: 'No checkpoint at hand?',
    text: 'Run this beside the server: it trains a small real family, adds it here, and shows the recovered tree beside the true one.',
    command: 'make demo',
    label: 'command',
  },
  latest: {
    title: 'Latest arrivals',
    all: 'All models',
    loading: 'the latest models',
    parameters: (count: string): string => `${count} parameters`,
  },
} as const
