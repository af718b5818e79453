// Runs the portable checks under the real MicroPython interpreter, all in one node process.
//
//     node run_checks.mjs < plan.json        plan: {package, webassembly, files: {path in MicroPython: path here},
//                                             modules: [name]}
//
// `package` is the folder of the npm package of MicroPython, `webassembly` that of the simulator's files. Prints one line of JSON for each check: module, check,
// error (null if it passed) and milliseconds. Control returns to JavaScript after each check, because MicroPython
// collects its garbage only then.
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const HEAP = 64 * 1024 * 1024;

const plan = JSON.parse(readFileSync(0, "utf8"));
const { load, reportErrors, writeFile } = await import(pathToFileURL(join(plan.webassembly, "interpreter.mjs")));
const micropython = await load(plan.package, HEAP, (data) => process.stderr.write(data));

for (const [path, source] of Object.entries(plan.files)) writeFile(micropython, path, readFileSync(source));

micropython.registerJsModule("host", { random: (count) => randomBytes(count).toString("hex") });
reportErrors();

micropython.runPython("import sys; sys.path[:] = ['/lib', '/checks', '.frozen']; import runner");
for (const module of plan.modules) {
    micropython.runPython(`_ = runner.names('${module}')`);
    for (const check of JSON.parse(micropython.globals.get("_"))) {
        const began = performance.now();
        micropython.runPython(`_ = runner.run('${module}', '${check}')`);
        const error = micropython.globals.get("_");
        const milliseconds = Math.round(performance.now() - began);
        process.stdout.write(JSON.stringify({ module, check, error, milliseconds }) + "\n");
    }
}
