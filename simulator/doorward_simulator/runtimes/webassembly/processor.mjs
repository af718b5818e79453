// A unit's processor as the real MicroPython interpreter, on the bus of the simulated world.
//
//     node processor.mjs --package FOLDER --image FOLDER --bus FD [--program FILE] [--heap BYTES]
//         [--heap-figures FILE [--heap-interval MS]]
//
// `--image` holds the compiled files of the device's flash. Nothing here reads the PC's clock or waits for it: Date.now
// is the world's time, which the bus brings, and the process sleeps in readSync until the world gives a cause. Control
// comes back to JavaScript after each step of a task, because MicroPython collects its garbage only then.
import { appendFileSync, readFileSync, readSync, writeSync } from "node:fs";
import { parseArgs } from "node:util";
import { copyFolder, load, reportErrors, writeFile } from "./interpreter.mjs";

const { values: options } = parseArgs({
    options: {
        package: { type: "string" },
        image: { type: "string" },
        bus: { type: "string" },
        program: { type: "string" },
        heap: { type: "string", default: "2097152" },
        "heap-figures": { type: "string" },
        "heap-interval": { type: "string", default: "0" },
    },
});
const bus = Number(options.bus);
const figuresFile = options["heap-figures"];
const interval = Number(options["heap-interval"]);

let ticks = 0; // world time, ms, as far as MicroPython's ticks tell times apart
Date.now = () => ticks;
performance.now = () => ticks;
globalThis.setTimeout = () => fail("the port's own event loop was asked for: tasks run in world_loop.py");

function fail(text) {
    process.stderr.write(text + "\n");
    process.exit(1);
}

// All of the bytes; the world may have ended, then nothing here is worth saving.
function send(data) {
    try {
        for (let sent = 0; sent < data.length; ) sent += writeSync(bus, data, sent);
    } catch {
        process.exit(0);
    }
}

// The bus as a character device: writes are gathered until an answer is needed.
let outgoing = [];
let incoming = Buffer.alloc(0);
const device = {
    write(_stream, memory, offset, length) {
        outgoing.push(Buffer.from(memory.slice(offset, offset + length).buffer));
        return length;
    },
    read(_stream, memory, offset, length) {
        if (outgoing.length) {
            send(Buffer.concat(outgoing));
            outgoing = [];
        }
        if (!incoming.length) {
            const data = Buffer.allocUnsafe(65536);
            let count = 0;
            try {
                count = readSync(bus, data);
            } catch {
                // the world has ended
            }
            if (!count) process.exit(0);
            incoming = data.subarray(0, count);
        }
        const count = Math.min(length, incoming.length);
        memory.set(incoming.subarray(0, count), offset);
        incoming = incoming.subarray(count);
        return count;
    },
};

reportErrors();
const micropython = await load(options.package, Number(options.heap), (data) => writeSync(1, data));
const number = micropython.FS.makedev(64, 0);
micropython.FS.registerDevice(number, device);
micropython.FS.mkdev("/dev/bus", number);
copyFolder(micropython, options.image, "");
if (options.program) writeFile(micropython, "/program.py", readFileSync(options.program));
micropython.registerJsModule("host", {
    reach: (now) => {
        ticks = now;
    },
    exit: (code) => process.exit(code),
});

micropython.runPython("import sys; sys.path[:] = ['/stubs', '.frozen', '/slot_a', '/']; import processor");
const { begin, step, idle, collect, allocated, loaded } = micropython.pyimport("processor");
begin(Boolean(options.program));

// Ticks come round after 2^30 ms, twelve days and a half (time.ticks_diff of MicroPython).
const PERIOD = 2 ** 30;

// What the heap holds, after a forced collection: at every idle a line with the processor's ticks, the bytes, the most
// since the line before (long turns are measured within, too), and the modules loaded since then. With an interval
// there is at most one line in so many ms, and nothing is measured in between.
let peak = 0;
let due = 0;
let modules = new Set();
function measure(isIdle) {
    const names = isIdle ? loaded().split(" ") : [];
    collect();
    const bytes = allocated();
    peak = Math.max(peak, bytes);
    if (isIdle) {
        const fresh = names.filter((name) => !modules.has(name));
        modules = new Set(names);
        appendFileSync(figuresFile, JSON.stringify({ at: ticks, bytes, peak, modules: fresh }) + "\n");
        peak = 0;
        due = (ticks + interval) % PERIOD;
    }
}

const isDue = () => (ticks - due + PERIOD) % PERIOD < PERIOD / 2;
const LONG_TURN = 16; // steps of tasks
for (;;) {
    for (let steps = 1; step(); steps++) {
        if (figuresFile && !interval && steps % LONG_TURN === 0) measure(false);
    }
    if (figuresFile && isDue()) measure(true);
    idle();
}
