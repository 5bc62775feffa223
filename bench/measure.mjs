// Preloaded into a command (`node --import ./bench/measure.mjs bin/run.js ...`): prints its memory
// and processor time as the last line of standard error.

process.on('exit', () => {
  const { maxRSS, userCPUTime, systemCPUTime } = process.resourceUsage();
  process.stderr.write(
    `\n${JSON.stringify({ peakMegabytes: maxRSS / 1024, cpuSeconds: (userCPUTime + systemCPUTime) / 1e6 })}\n`,
  );
});
