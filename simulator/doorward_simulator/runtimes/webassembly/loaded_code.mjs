// How much of the heap compiled files take when they are loaded: on a device whose code is frozen into flash, nothing.
//
//     node loaded_code.mjs --package FOLDER --image FOLDER
//
// `--image` holds code0.mpy, code1.mpy, ...: code0 has only the first line, which calls loaded.here() before anything
// else of the file is executed and so ends it. Nothing is collected meanwhile. Prints one JSON list of bytes.
import { parseArgs } from "node:util";
import { copyFolder, load, reportErrors } from "./interpreter.mjs";

const { values: options } = parseArgs({ options: { package: { type: "string" }, image: { type: "string" } } });
reportErrors();
let printed = "";
const micropython = await load(options.package, 4 * 1024 * 1024, (data) => {
    printed += Buffer.from(data).toString();
});
copyFolder(micropython, options.image, "/code");
micropython.runPython(`
import gc, json, os, sys
gc.disable()
class Loaded(Exception):
    pass
class _Mark:
    bytes = 0
    def here(self):
        self.bytes = gc.mem_alloc()
        raise Loaded
mark = sys.modules["loaded"] = _Mark()
sys.path[:] = ["/code"]
found = [0] * len(os.listdir("/code"))
for _number in range(len(found)):
    before = gc.mem_alloc()
    try:
        __import__("code%d" % _number)
    except Loaded:
        found[_number] = mark.bytes - before
print(json.dumps(found))
`);
process.stdout.write(printed);
