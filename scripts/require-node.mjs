// Plain JavaScript on purpose: it must run, and explain itself, on the old Node.js that it is there to refuse.
const REQUIRED_MAJOR = 24;
const major = Number(process.versions.node.split('.')[0]);

if (major < REQUIRED_MAJOR) {
  console.error(
    `Easel needs Node.js ${REQUIRED_MAJOR} or newer, and this is ${process.version}.\n` +
      'On Linux (x64, arm64) `npm ci` brings a suitable one for every npm script; if it was just run,\n' +
      'the optional package "node-linux-…" could not be downloaded: run `npm ci` again with a connection to the registry.\n' +
      'Elsewhere, install Node.js 24 or newer from https://nodejs.org.',
  );
  process.exit(1);
}
