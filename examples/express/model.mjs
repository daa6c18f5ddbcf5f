// Stands in for a language model: an answer that comes word by word, and whose length nobody knows before.

const SENTENCE = "The sea was calm that morning and the boats lay still while someone counted what was left to spend";

/** Streams an answer of so many words. */
export async function* answer(prompt, words) {
  const all = `${prompt}? ${SENTENCE}`.split(" ");
  for (let index = 0; index < words; index += 1) {
    await new Promise((done) => setTimeout(done, 5));
    yield all[index % all.length];
  }
}
