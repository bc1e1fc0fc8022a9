/** Which of the files that were dropped together become one data set. */

/** LLaMA-Factory's list of data sets: it describes the files beside it. */
export const DESCRIBING_FILE = 'dataset_info.json'

/** Each file is a data set of its own, unless one among them describes the others. */
export function grouped(files: File[]): File[][] {
  return files.some(({ name }) => name === DESCRIBING_FILE) ? [files] : files.map((file) => [file])
}
