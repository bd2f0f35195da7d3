import ELFModel
import PayloadSamples
import XenSource

/// Payloads that are wrong in one point each, or only odd, made for a real hypervisor.
struct BrokenPayload: Sendable {
    var name: String
    var bytes: [UInt8]
    /// Another payload, which is applied before this one is uploaded.
    var below: [UInt8]?
}

/// What the payloads refer to in that hypervisor.
struct SampleTargets: Sendable {
    /// A function of ten bytes or more.
    var victim = "xen_minor_version"
    var victimSize: UInt64
    var victimAddress: UInt64
    /// A local function, by its name in the hypervisor's own table.
    var local: String
    /// A function that begins with a mark for indirect calls, and its size; where the processor has such.
    var marked: (name: String, address: UInt64, size: UInt64)?
    /// A function of ten bytes or more that is freed after boot.
    var freed: String
    var buildID: [UInt8]
    /// The first bytes of a function with code that the hypervisor changes when it boots, and its address; where there is such.
    var changedAtBoot: (address: UInt64, bytes: [UInt8])?
    /// A symbol without a section.
    var absolute: String?
    /// The address behind the last byte of code, on the same page; nil when that page is full.
    var behindText: UInt64?
    /// Where the hypervisor has the name of one of its functions as a text.
    var nameOfFunction: UInt64?

    init?(_ image: XenImage) {
        let functions = image.fileGroups.lazy.flatMap(\.symbols).filter { $0.isFunction && $0.size > 0 && !$0.isFreedAfterBoot }
        guard let victim = image.global("xen_minor_version"),
            let local = functions.first(where: { image.count(ofQualifiedName: $0.qualifiedName) == 1 }),
            let freed = image.global("__start_xen") ?? image.global("start_xen")
        else { return nil }
        self.freed = freed.name
        changedAtBoot = Self.fence(image)
        let end = image.global("_etext")?.address ?? 0
        behindText = end & 0xFFF == 0 || 0x1000 - (end & 0xFFF) < 16 ? nil : end
        absolute = ["start_pa", "FIXADDR_X_SIZE", "efi"].first { image.global($0).map { $0.section == nil } ?? false }
        nameOfFunction = Self.functionName(image)
        // The host tool can have this one called: `xl debug-keys h`.
        let called = image.symbol(ofQualifiedName: "common/keyhandler.c#show_handlers").map { [$0] } ?? []
        marked = (called + functions).first {
            $0.size >= 16 && image.count(ofQualifiedName: $0.qualifiedName) == 1
                && image.bytes(at: $0.address, count: 4).map(Array.init) == [0xf3, 0x0f, 0x1e, 0xfa]
        }.map { ($0.qualifiedName, $0.address, $0.size) }
        victimSize = victim.size
        victimAddress = victim.address
        self.local = local.qualifiedName
        buildID = image.buildID
    }

    /// A text among the constants that is the name of a global function.
    private static func functionName(_ image: XenImage) -> UInt64? {
        guard let start = image.global("_srodata")?.address, let end = image.global("_erodata")?.address,
            let constants = image.bytes(at: start, count: Int(end - start)) ?? image.bytes(at: start, count: Int(end - start) & ~0xFFF)
        else { return nil }
        return constants.split(separator: 0).first { text in
            guard (4..<100).contains(text.count), let name = String(validating: text, as: UTF8.self), let symbol = image.global(name) else { return false }
            return symbol.isFunction && symbol.size >= 16 && !symbol.isFreedAfterBoot
        }.map { start + UInt64($0.startIndex - constants.startIndex) }
    }

    /// 31 bytes that begin with an `lfence` that has an alternative (`struct alt_instr` of xen/arch/x86/include/asm/alternative.h).
    private static func fence(_ image: XenImage) -> (address: UInt64, bytes: [UInt8])? {
        guard let start = image.global("__alt_instructions")?.address, let end = image.global("__alt_instructions_end")?.address else { return nil }
        for entry in stride(from: start, to: end, by: 14) {
            guard let field = image.bytes(at: entry, count: 4) else { return nil }
            let distance = field.reversed().reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
            let code = entry &+ UInt64(bitPattern: Int64(Int32(bitPattern: distance)))
            guard !image.isFreedAfterBoot(code), let bytes = image.bytes(at: code, count: 31) else { continue }
            if bytes.starts(with: [0x0f, 0xae, 0xe8]) { return (code, Array(bytes)) }
        }
        return nil
    }

    /// A payload that the hypervisor takes, to be spoilt.
    func good(_ machine: Machine) -> SamplePayload {
        var payload = machine == .x86_64 ? SamplePayload() : SamplePayload(machine)
        payload.name = victim
        payload.oldSize = "\(victimSize)"
        payload.text = payload.text.replacing("\"common/kernel.c#hidden\"", with: "\"\(local)\"").replacing("b hidden", with: "b \"\(local)\"")
        payload.depends = note(".livepatch.depends", payload)
        payload.xenDepends = note(".livepatch.xen_depends", payload)
        return payload
    }

    func note(_ section: String, _ payload: SamplePayload) -> String {
        SamplePayload.note(buildID.map { "\($0)" }.joined(separator: ","), section, alignment: payload.alignment)
    }
}

/// Makes the table.
struct BrokenPayloads {
    let targets: SampleTargets
    var machine = Machine.x86_64
    private(set) var all: [BrokenPayload] = []

    init(_ targets: SampleTargets, machine: Machine = .x86_64) {
        self.targets = targets
        self.machine = machine
    }

    private mutating func add(_ name: String, _ change: (inout SamplePayload) -> Void) async throws {
        var payload = targets.good(machine)
        change(&payload)
        all.append(BrokenPayload(name: name, bytes: try await payload.assembled()))
    }

    private mutating func add(_ name: String, raw change: ([UInt8]) throws -> [UInt8]) async throws {
        all.append(BrokenPayload(name: name, bytes: try change(try await targets.good(machine).assembled())))
    }

    private mutating func add(_ name: String, source change: (String) -> String) async throws {
        all.append(BrokenPayload(name: name, bytes: try await assemble(change(targets.good(machine).source), for: machine)))
    }

    private mutating func add(_ name: String, more: String) async throws {
        try await add(name) { $0.more = more + "\n" }
    }

    /// Everything that is wrong, or odd, about payloads for x86_64.
    mutating func addAll() async throws {
        try await addHeaders()
        try await addSymbolsAndRelocations()
        try await addContents()
        try await addTables()
        try await addPlaces()
    }

    /// A payload with something in each table that the loader reads, and nothing wrong.
    func withEverything() async throws -> [UInt8] {
        var payload = targets.good(machine)
        payload.more = """
            .section .livepatch.hooks.load, "a"
            \(machine.pointer) new_victim
            .section .livepatch.hooks.preapply, "a"
            \(machine.pointer) new_victim
            .section .modinfo, "a"
            .asciz "a=b"

            """
        if machine == .x86_64 {
            payload.more += SamplePayload.tables + "\n"
        }
        return try await payload.assembled()
    }

    /// A payload that may be applied, and another that may be below it.
    func harmless(isPair: Bool) async throws -> (payload: [UInt8], below: [UInt8]?) {
        var payloads = Self(targets, machine: machine)
        if isPair {
            try await payloads.addHarmless("", on: { _ in }) { $0.more = ".section .modinfo, \"a\"\n.asciz \"a=b\"\n" }
        } else {
            try await payloads.addHarmless("")
        }
        return (payloads.all[0].bytes, payloads.all[0].below)
    }

    /// What all processors' loaders look at, of each part something.
    mutating func addSample() async throws {
        let good = try await targets.good(machine).assembled()
        func raw(_ name: String, _ bytes: [UInt8]) { all.append(BrokenPayload(name: name, bytes: bytes)) }
        raw("nothing wrong", good)
        raw("cut short in the ELF header", Array(good[..<40]))
        raw("another machine", with(UInt16(8), at: 18, good))
        raw("an executable", with(UInt16(2), at: 16, good))
        try await add("an unknown symbol") { $0.text = $0.text.replacing("printk", with: "prinkt") }
        try await add("a common symbol") { $0.data = ".comm counter, 4\n" }
        try await add("no build-id") { $0.buildID = "" }
        try await add("no dependency") { $0.depends = "" }
        try await add("another hypervisor") { $0.xenDepends = SamplePayload.note("0x44", ".livepatch.xen_depends", alignment: $0.alignment) }
        try await add("another format's version") { $0.version = "1" }
        try await add("an unknown function") { $0.name = "no_such_function" }
        try await add("no room for a trampoline") { $0.oldSize = "3" }
        try await add("an old size of zero") { $0.oldSize = "0" }
        try await add("functions cut short") { $0.expectation = ".skip 28" }
        try await add("an exception table", more: ".section .ex_table, \"a\"\n.long 0, 0")
        try await add("a bug frame cut short", more: ".section .bug_frames.0, \"a\"\n.long 0, 0, 0")
        try await add("metadata without an end", more: ".section .modinfo, \"a\"\n.ascii \"a=b\"")
        try await add("writable and executable", more: ".section .both, \"awx\"\n.long 0")
        try await add("two hooks where one may be", more: ".section .livepatch.hooks.apply, \"a\"\n\(machine.pointer) new_victim, new_victim")
        try await add("a name that is taken", more: ".section .rodata.more, \"a\"\n.globl do_domctl\ndo_domctl: .long 0")
    }

    private mutating func addHeaders() async throws {
        let good = try await targets.good(machine).assembled()
        func raw(_ name: String, _ bytes: [UInt8]) { all.append(BrokenPayload(name: name, bytes: bytes)) }
        raw("nothing wrong", good)
        raw("an empty file", [])
        raw("more than 2 MiB", good + [UInt8](repeating: 0, count: (2 << 20) + 1 - good.count))
        raw("cut short in the ELF header", Array(good[..<63]))
        raw("cut in the middle", Array(good[..<(good.count / 2)]))
        raw("no ELF file", with(UInt8(0), at: 0, good))
        raw("an unknown OS ABI", with(UInt8(3), at: 7, good))
        raw("the OS ABI of FreeBSD", with(UInt8(9), at: 7, good))
        raw("an ABI version", with(UInt8(1), at: 8, good))
        raw("32 bits", with(UInt8(1), at: 4, good))
        raw("the other byte order", with(UInt8(2), at: 5, good))
        raw("an executable", with(UInt16(2), at: 16, good))
        raw("a program header", with(UInt16(1), at: 56, good))
        raw("another machine", with(UInt16(183), at: 18, good))
        raw("ELF version 2", with(UInt32(2), at: 20, good))
        raw("no section names", with(UInt16(0), at: 62, good))
        raw("1,024 sections", with(UInt16(1024), at: 60, good))
        raw("more sections than there are", with(UInt16(900), at: 60, good))
        raw("section names past the last section", with(UInt16(500), at: 62, good))
        raw("section headers past the file", with(UInt64(good.count), at: 40, good))
        raw("short section headers", with(UInt16(40), at: 58, good))
        let text = try header(good) { $0.name == ".text.new_victim" }
        raw("a section over the ELF header", with(UInt64(63), at: text + 24, good))
        raw("a section past the file", with(UInt64(good.count), at: text + 32, good))
        raw("an alignment of 3", with(UInt64(3), at: text + 48, good))
        raw("an address that is not aligned", with(UInt64(5), at: text + 16, with(UInt64(4), at: text + 48, good)))
        raw("a section name past the names", with(UInt32.max, at: text, good))
        let bss = try header(good) { $0.name == ".bss.counter" }
        raw("more than 2 MiB of zeros", with(UInt64(2 << 20) + 1, at: bss + 32, good))
        let table = try header(good) { $0.type == ELF.SectionType.symtab }
        raw("no symbol table", with(UInt32(1), at: table + 4, good))
        raw("symbols without names", with(UInt32(999), at: table + 40, good))
        raw("symbols of 23 bytes", with(UInt64(23), at: table + 56, good))
        raw("an empty symbol table", with(UInt64(0), at: table + 32, good))
        let strings = try header(good) { $0.name == ".strtab" }
        raw("a string table that is none", with(UInt32(1), at: strings + 4, good))
        let another = try header(good) { $0.name == ".rodata.message" }
        raw("two symbol tables", with(UInt32(ELF.SectionType.symtab), at: another + 4, good))
    }

    private mutating func addSymbolsAndRelocations() async throws {
        let good = try await targets.good(machine).assembled()
        func raw(_ name: String, _ bytes: [UInt8]) { all.append(BrokenPayload(name: name, bytes: bytes)) }
        func number(at place: UInt64) -> UInt64 { (0..<8).reduce(0) { $0 | UInt64(good[Int(place) + $1]) << UInt64(8 * $1) } }
        let symbols = number(at: try header(good) { $0.type == ELF.SectionType.symtab } + 24)
        raw("a symbol's name past the names", with(UInt32.max, at: symbols + 24, good))
        raw("a symbol of an unknown special section", with(UInt16(0xFF10), at: symbols + 24 + 6, good))
        raw("a symbol past the last section", with(UInt16(500), at: symbols + 24 + 6, good))
        let table = try header(good) { $0.name == ".rela.text.new_victim" }
        let entries = number(at: table + 24)
        raw("a relocation without a symbol", with(UInt64(4), at: entries + 8, good))
        raw("a relocation against an unknown symbol", with(UInt64(60000) << 32 | 4, at: entries + 8, good))
        raw("a relocation past its section", with(UInt64(25), at: entries, good))
        raw("a relocation far past its section", with(UInt64.max, at: entries, good))
        raw("a relocation that does not fit", with(UInt64(1) << 40, at: entries + 16, good))
        raw("relocations without addends", with(UInt32(9), at: table + 4, good))
        raw("relocations of other symbols", with(UInt32(1), at: table + 40, good))
        raw("relocations of 25 bytes", with(UInt64(25), at: table + 56, good))
        raw("relocations of no known section", with(UInt32(999), at: table + 44, good))
        for (name, directive) in [
            ("R_X86_64_32", ".long new_victim"), ("R_X86_64_PC16", ".short new_victim - ."), ("R_X86_64_PC64", ".quad new_victim - ."),
            ("R_X86_64_8", ".byte new_victim"),
        ] { try await add("a relocation of type \(name)", more: ".section .rodata.more, \"a\"\n\(directive)") }
        try await add("the global offset table", more: ".section .rodata.more, \"a\"\n.long message@GOTPCREL")
        try await add("an unknown symbol") { $0.text = $0.text.replacing("call printk", with: "call prinkt") }
        try await add("a common symbol") { $0.data = ".comm counter, 4\n" }
        try await add("relocations of a section that is not loaded", more: ".section .unloaded\n.long new_victim\n.byte new_victim")
        try await add(
            "a relocation against a section that is not loaded", more: ".section .unloaded\nthing: .long 0\n.section .rodata.more, \"a\"\n.quad thing")
        try await add("a name that is taken", more: ".section .rodata.more, \"a\"\n.globl do_domctl\ndo_domctl: .long 0")
    }

    private mutating func addContents() async throws {
        try await add("writable and executable", more: ".section .both, \"awx\"\n.byte 1")
        try await add("no build-id") { $0.buildID = "" }
        try await add("no dependency") { $0.depends = "" }
        try await add("an empty dependency") { $0.xenDepends = ".section .livepatch.xen_depends, \"a\", @note\n" }
        try await add("neither functions nor hooks") { $0.replacing(".livepatch.funcs", with: ".livepatch.other") }
        try await add("hooks alone") {
            $0.replacing(".livepatch.funcs", with: ".livepatch.other") + ".section .livepatch.hooks.load, \"a\"\n.quad new_victim\n"
        }
        try await add("another format's version") { $0.version = "1" }
        try await add("an old size of zero") { $0.oldSize = "0" }
        try await add("an unknown function") { $0.name = "no_such_function" }
        try await add("functions cut short") { $0.expectation = ".skip 31" }
        try await add("32 bytes of NOPs") {
            $0.newAddress = "0"
            $0.newSize = "32"
            $0.oldSize = "40"
        }
        try await add("more NOPs than the function has bytes") {
            $0.newAddress = "0"
            $0.newSize = "31"
            $0.oldSize = "30"
        }
        try await add("five bytes of NOPs") {
            $0.newAddress = "0"
            $0.newSize = "5"
        }
        try await add("no text") {
            $0.text = ""
            $0.newAddress = "0"
            $0.newSize = "5"
        }
        try await add("no room for a trampoline") { $0.oldSize = "4" }
        try await add("just room for a trampoline") { $0.oldSize = "5" }
        try await add("another hypervisor") { $0.xenDepends = SamplePayload.note("0x44", ".livepatch.xen_depends") }
        try await add("on top of another payload") { $0.depends = SamplePayload.note("0x44", ".livepatch.depends") }
        try await add("a note of another type") { $0.depends = SamplePayload.note(nil, ".livepatch.depends", type: 4) }
        try await add("a note of another owner") { $0.depends = SamplePayload.note(nil, ".livepatch.depends", owner: "XEN") }
        try await add("a note with wrong sizes") { $0.depends = ".section .livepatch.depends, \"a\", @note\n.long 4, 20, 3\n.asciz \"GNU\"\n.skip 19\n" }
        try await add("half a note") { $0.depends = ".section .livepatch.depends, \"a\", @note\n.long 4, 20, 3\n" }
        try await add("two hooks where one may be", more: ".section .livepatch.hooks.apply, \"a\"\n.quad new_victim, new_victim")
        try await add("half a hook", more: ".section .livepatch.hooks.unload, \"a\"\n.quad new_victim\n.byte 0")
        try await add("an empty hook", more: ".section .livepatch.hooks.revert, \"a\"\n")
        try await add("metadata without an end", more: ".section .modinfo, \"a\"\n.ascii \"a=b\"")
        try await add("a long name", more: ".section .rodata.more, \"a\"\n\(String(repeating: "x", count: 200)): .long 0")
    }

    /// What is in places where one would not look for it.
    private mutating func addPlaces() async throws {
        let (absolute, behindText, nameOfFunction) = (targets.absolute, targets.behindText, targets.nameOfFunction)
        if let absolute { try await add("an absolute symbol of the hypervisor") { $0.text = $0.text.replacing("call printk", with: "call \(absolute)") } }
        if let behindText { try await add("a function behind the hypervisor's code, on its last page") { $0.oldAddress = "\(behindText)" } }
        if let nameOfFunction {
            try await add("a name among the hypervisor's own texts") { $0.replacing(".8byte name,", with: ".8byte \(nameOfFunction),") }
        }
        try await add("a function of the payload itself") { $0.oldAddress = "new_victim + 8" }
        try await add("a wild name that nobody needs") {
            $0.replacing(".8byte name, new_victim, 0", with: ".8byte 0xdead000000000000, new_victim, new_victim + 8")
        }
        let id = targets.buildID.map(String.init).joined(separator: ",")
        try await add("a note with a name of odd size") {
            $0.depends = ".section .livepatch.depends, \"a\", @note\n.long 5, 20, 3\n.asciz \"GNU\"\n.long 0\n.byte \(id)\n"
        }
        try await add("an alignment of 0 where nothing is") { with(UInt64(0), at: try header($0) { $0.name == ".text.new_victim" } + 48, $0) }
        try await add("an alignment of 128 MiB, first") { with(UInt64(128 << 20), at: try header($0) { $0.name == ".text.new_victim" } + 48, $0) }
        try await add("an alignment of 64 MiB, last") { with(UInt64(64 << 20), at: try header($0) { $0.name == ".livepatch.xen_depends" } + 48, $0) }
        try await add("an alignment of 4 GiB") { with(UInt64(4 << 30), at: try header($0) { $0.name == ".livepatch.xen_depends" } + 48, $0) }
        var many = targets.good(machine)
        many.more = ".section .rodata.more, \"a\"\n" + (0..<2100).map { "many_\($0): " }.joined(separator: "\n") + ".long 0\n"
        let bytes = try await many.assembled()
        all.append(.init(name: "2,100 symbols with one name of a megabyte", bytes: try withOneName(ofLength: 1_000_000, forSymbols: "many_", bytes)))
        // Names are bytes: these two differ, and as text they do not.
        var (one, other) = (targets.good(machine), targets.good(machine))
        one.more = ".section .rodata.more, \"a\"\nname_QQ: .long 0\n"
        one.buildID = SamplePayload.note("0x92", ".note.gnu.build-id")
        (one.data, one.text) = ("", ".section .text.new_victim, \"ax\"\nnew_victim: movl $17, %eax\nret\n")
        other.more = one.more
        other.depends = SamplePayload.note("0x92", ".livepatch.depends")
        let below = try await assemble(one.source.replacing("name: ", with: "below: ").replacing("8byte name,", with: "8byte below,"))
        all.append(
            .init(
                name: "a name that differs from one below only outside of UTF-8",
                bytes: try replacing("name_QQ", with: Array("name_".utf8) + [0xFF, 0x41], in: try await other.assembled()),
                below: try replacing("name_QQ", with: Array("name_".utf8) + [0xFE, 0x41], in: below)))
    }

    private mutating func addTables() async throws {
        try await add("a bug frame cut short", more: ".section .bug_frames.3, \"a\"\n.skip 12")
        try await add("an exception cut short", more: ".section .ex_table, \"a\"\n.long new_victim - .")
        try await add("an exception", more: ".section .ex_table, \"a\"\n.long new_victim - ., new_victim + 7 - .")
        try await add("a table that nobody knows", more: ".section .ex_table.pre, \"a\"\n.long new_victim - ., new_victim - .")
        func alternative(_ original: String, _ lengths: String, _ replacement: String = "replacement - .", section: String = ".altinstr_replacement") -> String
        {
            """
            .section .altinstructions, "a"
            .long \(original), \(replacement)
            .word 3
            .byte \(lengths), 0, 0
            .section \(section), "ax"
            replacement: .byte 0x0f, 0x1f, 0x00
            """
        }
        try await add("an alternative", more: alternative("new_victim - .", "7, 3"))
        try await add("an alternative of other code", more: alternative("\(targets.victim) - .", "7, 3"))
        try await add("an alternative longer than its code", more: alternative("new_victim - .", "7, 4"))
        try await add("an alternative that replaces by code", more: alternative("new_victim - .", "7, 3", "new_victim - ."))
        try await add("alternatives without replacements", more: alternative("new_victim - .", "7, 0", "new_victim - .", section: ".other"))
        try await add("alternatives cut short", more: ".section .altinstructions, \"a\"\n.skip 13\n.section .altinstr_replacement, \"ax\"\n.byte 0")
    }

    /// Those that may be applied: the function goes on to answer what it did.
    private mutating func addHarmless(_ name: String, _ change: (inout SamplePayload) -> Void = { _ in }) async throws {
        try await add(name) {
            $0.text = ".section .text.new_victim, \"ax\", %progbits\nnew_victim: movl $17, %eax\nret\n"
            $0.data = ""
            $0.newSize = "6"
            change(&$0)
        }
    }

    /// Those that may be applied on top of another, which answers the same.
    private mutating func addHarmless(_ name: String, on below: (inout SamplePayload) -> Void, _ change: (inout SamplePayload) -> Void) async throws {
        try await addHarmless(name) {
            below(&$0)
            $0.buildID = SamplePayload.note("0x92", ".note.gnu.build-id")
            // Both would bring the symbol.
            $0.nameLabel = "name_below"
        }
        let other = all.removeLast().bytes
        try await addHarmless(name, change)
        all[all.count - 1].below = other
    }

    /// Those that an upload takes, and whose application is refused or not, at first or again.
    mutating func addToApply() async throws {
        try await addHarmless("nothing wrong")
        try await addHarmless("a variable") { $0.data = ".section .bss.counter, \"aw\", %nobits\ncounter: .skip 4\n" }
        try await addHarmless("read-only functions") { $0.functionFlags = "a" }
        try await addHarmless("on top of another payload") { $0.depends = SamplePayload.note("0x44", ".livepatch.depends") }
        for (name, expectation) in [
            ("an expectation that is met", ".byte 1 | 5 << 1, 0xb8, 17, 0, 0, 0\n.skip 26"),
            ("an expectation that is not met", ".byte 1 | 5 << 1, 0xb8, 18, 0, 0, 0\n.skip 26"),
            ("an expectation of more bytes than the function has", ".byte 1 | 31 << 1\n.skip 31"),
            ("an expectation that is switched off", ".byte 5 << 1, 1, 2, 3, 4, 5\n.skip 26"),
        ] { try await addHarmless(name) { $0.expectation = expectation } }
        if let place = targets.changedAtBoot {
            let bytes = place.bytes.map(String.init).joined(separator: ",")
            try await addHarmless("an expectation of code that changes at boot") {
                // Nothing is written.
                ($0.oldAddress, $0.oldSize, $0.newAddress, $0.newSize) = ("\(place.address)", "31", "0", "0")
                $0.expectation = ".byte 1 | \(place.bytes.count) << 1, \(bytes)\n.skip \(31 - place.bytes.count)"
            }
        }
        let unmet = ".byte 1 | 1 << 1, 0xb9\n.skip 30", start = targets.victimAddress
        try await addHarmless("an expectation of the jump below, at another address", on: { _ in }) {
            $0.depends = SamplePayload.note("0x92", ".livepatch.depends")
            ($0.oldAddress, $0.newAddress, $0.newSize, $0.oldSize) = ("\(start + 2)", "0", "0", "5")
            $0.expectation = ".byte 1 | 3 << 1, 0, 0, 0\n.skip 28"
        }
        try await addHarmless("a replacement whose expectation is not met", on: { _ in }) { $0.expectation = unmet }
        try await addHarmless("a replacement", on: { _ in }) { _ in }
        // The last of them stays applied.
        for (hook, code) in [
            ("preapply", "movl $-16, %eax"), ("preapply", "xor %eax, %eax"), ("prerevert", "xor %eax, %eax"), ("prerevert", "movl $-1, %eax"),
        ] {
            try await addHarmless("a hook \(hook) that does '\(code)'") {
                $0.more =
                    ".section .text.hook, \"ax\"\nhook: endbr64\n\(code)\nret\n.section .livepatch.hooks.\(hook), \"a\"\n.quad hook\n"
            }
        }
    }

    /// Those that ruin the hypervisor: at upload, when they are applied, or when what they leave behind is called. For x86_64.
    mutating func addRuinous() async throws {
        try await addRuinousFiles()
        try await addRuinousFunctions()
        try await addRuinousHooks()
        try await addRuinousAlternatives()
    }

    private mutating func addRuinousFiles() async throws {
        let good = try await targets.good(machine).assembled()
        func raw(_ name: String, _ bytes: [UInt8]) { all.append(BrokenPayload(name: name, bytes: bytes)) }
        let table = try header(good) { $0.type == ELF.SectionType.symtab }
        raw("symbols named by section 0", with(UInt32(0), at: table + 40, good))
        let relocations = try header(good) { $0.name == ".rela.text.new_victim" }
        raw("relocations of section 0", with(UInt32(0), at: relocations + 44, good))
        try await add("functions that are not loaded") { $0.replacing(".livepatch.funcs, \"aw\"", with: ".livepatch.funcs, \"\"") }
        try await add("nothing that is loaded") {
            $0.replacing("\"ax\", %progbits", with: "\"\", %progbits").replacing(", \"aw\"", with: ", \"\"").replacing(", \"a\"", with: ", \"\"")
        }
    }

    private mutating func addRuinousFunctions() async throws {
        try await add("a function far away") { $0.oldAddress = "0xffff82d140800000" }
        let (freed, marked, start) = (targets.freed, targets.marked, targets.victimAddress)
        try await add("a function that is freed after boot") { ($0.name, $0.oldSize) = (freed, "64") }
        func entry(_ new: String, _ old: String, _ size: Int, _ oldSize: String) -> String {
            ".section .livepatch.funcs\n.quad name, \(new), \(old)\n.long \(size), \(oldSize)\n.byte 2\n.skip 71\n"
        }
        if let marked {
            try await add("NOPs that end within a mark for indirect calls") {
                ($0.name, $0.newAddress, $0.newSize, $0.oldSize) = (marked.name, "0", "3", "\(marked.size)")
            }
            try await addHarmless("two entries for the same bytes, at a mark and behind it") {
                ($0.name, $0.oldSize) = (marked.name, "\(marked.size)")
                $0.more = entry("new_victim", "\(marked.address + 4)", 6, "\(marked.size - 4)")
            }
        }
        try await addHarmless("two entries for one function") { $0.more = entry("new_victim", "0", 6, $0.oldSize) }
        try await addHarmless("NOPs within a function, and then a jump at its start") {
            ($0.oldAddress, $0.newAddress, $0.newSize, $0.oldSize) = ("\(start + 1)", "0", "4", "8")
            $0.more = entry("new_victim", "\(start)", 6, "10")
        }
        try await addHarmless("a wild name, and an expectation that is not met") {
            $0.oldAddress = "\(start)"
            $0.expectation = ".byte 1 | 1 << 1, 0xb9\n.skip 30"
            $0.name = "wild"
        }
        let wild = try replacingName(in: all.removeLast())
        all.append(wild)
        try await addHarmless("a replacement that is no code") {
            $0.newAddress = "constant"
            $0.more = ".section .rodata.constant, \"a\"\nconstant: movl $17, %eax\nret\n"
        }
        try await addHarmless("a function that jumps to itself") { $0.newAddress = "\(start)" }
        try await addHarmless("a call of what is freed after boot") { $0.text = $0.text.replacing("movl $17", with: "call \(freed)\nmovl $17") }
        try await addHarmless("a replacement that needs what it replaces", on: { $0.text += ".section .text.helper, \"ax\"\n.globl helper\nhelper: ret\n" }) {
            $0.text = $0.text.replacing("movl $17", with: "call helper\nmovl $17")
        }
    }

    /// The entry's pointer to its name, made wild: its relocation then fills another field, with the address that is there already.
    private func replacingName(in payload: BrokenPayload) throws -> BrokenPayload {
        let table = try header(payload.bytes) { $0.name == ".livepatch.funcs" }, relocations = try header(payload.bytes) { $0.name == ".rela.livepatch.funcs" }
        func number(at place: UInt64) -> UInt64 { (0..<8).reduce(0) { $0 | UInt64(payload.bytes[Int(place) + $1]) << UInt64(8 * $1) } }
        let start = number(at: table + 24), first = number(at: relocations + 24)
        // R_X86_64_NONE
        let none = number(at: first + 8) & ~0xFFFF_FFFF
        return BrokenPayload(name: payload.name, bytes: with(UInt64(0xdead_0000_0000_0000), at: start, with(none, at: first + 8, payload.bytes)))
    }

    private mutating func addRuinousHooks() async throws {
        try await addHarmless("a load hook that is a null pointer") { $0.more = ".section .livepatch.hooks.load, \"a\"\n.quad 0\n" }
        try await addHarmless("load hooks that are not loaded") { $0.more = ".section .livepatch.hooks.load, \"\"\n.quad new_victim\n" }
        for hook in ["load", "unload", "preapply", "apply", "postapply", "prerevert", "revert", "postrevert"] {
            try await addHarmless("a hook \(hook) that is no code") {
                $0.more = ".section .rodata.constant, \"a\"\nconstant: ret\n.section .livepatch.hooks.\(hook), \"a\"\n.quad constant\n"
            }
        }
    }

    private mutating func addRuinousAlternatives() async throws {
        func alternative(feature: Int, _ lengths: String, _ original: String = "new_victim") -> String {
            """
            .section .altinstructions, "a"
            .long \(original) - ., replacement - .
            .word \(feature)
            .byte \(lengths), 0
            .section .altinstr_replacement, "ax"
            replacement: .byte 0xe8, 0xfb, 0xff, 0xff, 0xff
            """
        }
        for (name, feature) in [("behind the last", 21 * 32), ("behind the last, inverted", 0x8000 | 21 * 32), ("with a flag that there is not", 0x4000 | 3)] {
            try await add("an alternative for a feature \(name)", more: alternative(feature: feature, "7, 3, 0"))
        }
        for (name, pointer, code) in [
            ("unmapped", "0", ".byte 0xff, 0x15\n.long 0x70000000"), ("wild", "0xdead000000000000", "call *pointer(%rip)"),
        ] {
            try await add("an alternative call whose pointer is \(name)") {
                $0.text += "\n.section .text.more, \"ax\"\nindirect: \(code)\n"
                $0.data = ".section .data.rel.ro, \"a\"\npointer: .quad \(pointer)\n" + $0.data
                $0.more = alternative(feature: 93, "6, 5, 0", "indirect") + "\n"
            }
        }
        // The text fills its page, and the functions come next. The feature is one that all processors have.
        try await addHarmless("an alternative with padding beyond the text") {
            $0.text += ".section .text.last, \"ax\"\n.skip 4096 - 6 - 5 - 7, 0xcc\nlast: .skip 7, 0x90\n"
            $0.more = alternative(feature: 93, "7, 5, 240", "last") + "\n"
        }
    }
}
