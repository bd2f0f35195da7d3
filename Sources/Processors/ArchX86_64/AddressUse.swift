import TargetArchitecture

// Follows the address of a constant through a function: forwards, over all paths, through registers and the stack slots that the function
// spills them to. Applies each instruction's effect on what may hold the address, until nothing changes. The search ends at the first
// place where the address escapes. What is not modelled, or would need knowledge of memory, counts as an escape.

extension ArchX86_64 {
    package func addressUse(takenAt slots: [Range<Int>], in function: FunctionCode, readers: [String: Reader]) -> AddressUse {
        guard let first = slots.map(\.lowerBound).min() else { return .readsOnly }
        do {
            var analysis = try AddressAnalysis(slots: Set(slots), function: function, readers: readers)
            try analysis.run()
            return .readsOnly
        } catch {
            return .escapes(at: error.offset ?? first, error.how)
        }
    }
}

/// Where and how the address escapes.
struct AddressEscapes: Error {
    var offset: Int?
    var how: AddressEscape
}

struct AddressAnalysis {
    let function: FunctionCode
    let readers: [String: Reader]
    let slots: Set<Range<Int>>
    private let relocated: Set<Int>
    private let instructions: [Instruction]
    private let effects: [InstructionEffect]
    /// The index in `instructions`, by an instruction's offset.
    private let indexByOffset: [Int: Int]
    private var states: [AddressState?]
    private var work: [Int] = []
    /// Whether jumps through registers or memory may stay in the function.
    private let hasJumpTables: Bool
    /// Jumps that used an offset from the constant on one visit. They lead anywhere in the function, so later visits may bring other values.
    private var tableJumps: Set<Int> = []

    var state: AddressState
    var current = 0
    /// Whether a pointer into the frame may have reached other code, and which instruction first spilled the address to the frame.
    private var hasStackEscaped = false
    private var spill: Int?

    /// How many calls led here, and how many are followed at most.
    private let depth: Int
    private static let depthLimit = 4

    /// - Parameter held: the registers that may hold the address when the function is entered.
    init(
        slots: Set<Range<Int>>, function: FunctionCode, readers: [String: Reader], held: [Register] = [], depth: Int = 0
    ) throws(AddressEscapes) {
        self.slots = slots
        self.depth = depth
        self.function = function
        self.readers = readers
        relocated = Set(function.relocated.map(\.lowerBound)).union(slots.map(\.lowerBound))
        var instructions: [Instruction] = []
        var offset = 0
        while offset < function.bytes.count {
            guard let instruction = Instruction(at: offset, in: function.bytes) else {
                throw AddressEscapes(offset: offset, how: .unknown("an instruction that this program does not know"))
            }
            instructions.append(instruction)
            offset = instruction.end
        }
        self.instructions = instructions
        effects = instructions.map(\.effect)
        indexByOffset = Dictionary(uniqueKeysWithValues: instructions.enumerated().map { ($1.offset, $0) })
        states = Array(repeating: nil, count: instructions.count)
        hasJumpTables = function.landings.map { !$0.isEmpty } ?? true
        state = AddressState(argumentCount: function.signature.arguments)
        for register in held { state[register] = .maybeAddress }
        try checkThatSlotsAreFields()
    }

    private func checkThatSlotsAreFields() throws(AddressEscapes) {
        let fields = Set(instructions.flatMap(\.fields))
        if let odd = slots.first(where: { !fields.contains($0) }) {
            throw AddressEscapes(offset: odd.lowerBound, how: .unknown("a reference from within an instruction"))
        }
    }

    // MARK: Over the function

    mutating func run() throws(AddressEscapes) {
        flow(state, to: 0)
        // Each round adds states at landings and at code that no known path reaches. States only grow.
        for _ in 0..<100 {
            try settle()
            guard addUnknownEntries() else {
                if hasStackEscaped, let spill { throw AddressEscapes(offset: spill, how: .stored) }
                return
            }
        }
        throw AddressEscapes(offset: nil, how: .unknown("its control flow"))
    }

    private mutating func settle() throws(AddressEscapes) {
        var steps = 0
        while let index = work.popLast() {
            steps += 1
            guard steps < 1000 + 200 * instructions.count else {
                throw AddressEscapes(offset: nil, how: .unknown("its control flow"))
            }
            guard let entry = states[index] else { continue }
            state = entry
            current = index
            do {
                try execute(effects[index])
            } catch {
                throw AddressEscapes(offset: error.offset ?? instructions[index].offset, how: error.how)
            }
        }
    }

    /// Merges a state into that of an instruction. If that changes it, the instruction has to be executed again.
    private mutating func flow(_ state: AddressState, to index: Int) {
        guard states.indices.contains(index) else { return }
        let merged = states[index].map { $0.or(state) } ?? state
        guard merged != states[index] else { return }
        states[index] = merged
        work.append(index)
    }

    /// Adds the states that can reach landings, and any state to code that no known path reaches. Returns whether there is work left.
    private mutating func addUnknownEntries() -> Bool {
        var entries = function.landings == nil ? Array(instructions.indices) : []
        for landing in function.landings ?? [] {
            let target = indexByOffset[landing.to]
            if let target, let origin = landing.from.flatMap({ indexByOffset[$0] }) {
                if let state = states[origin] { flow(state, to: target) }
            } else {
                entries += target.map { [$0] } ?? Array(instructions.indices)
            }
        }
        if let unreached = states.indices.first(where: { states[$0] == nil && !instructions[$0].isFiller }) { entries.append(unreached) }
        guard !entries.isEmpty, var anywhere = states.lazy.compactMap({ $0 }).first else { return !work.isEmpty }
        for state in states { if let state { anywhere = anywhere.or(state) } }
        for index in entries { flow(anywhere, to: index) }
        return !work.isEmpty
    }

    // MARK: Control flow

    private mutating func goOn() { flow(state, to: current + 1) }

    private mutating func execute(_ effect: InstructionEffect) throws(AddressEscapes) {
        switch effect {
        case .jump(let field, let distance, let isConditional):
            if isConditional { goOn() }
            if relocated.contains(field.lowerBound) { return try leave(by: field) }
            let target = instructions[current].end + Int(clamping: distance)
            if let index = indexByOffset[target] { return flow(state, to: index) }
            try refuseIfHeld("a jump out of the function")
        case .call(let field, let distance):
            if relocated.contains(field.lowerBound) {
                try call(function.callee(field.lowerBound), by: field.lowerBound)
            } else {
                // A function that calls itself, or inline assembly that calls its own label.
                try call(nil)
                if let index = indexByOffset[instructions[current].end + Int(clamping: distance)], index != 0 {
                    var inner = state
                    inner[.rsp] = .stack(nil)
                    flow(inner, to: index)
                }
            }
            goOn()
        case .callThrough(let target):
            if try read(target).mayBeAddress { throw AddressEscapes(offset: nil, how: .unknown("a call of it")) }
            try call(nil)
            goOn()
        case .jumpThrough(let target):
            // The target is the address plus a number: an offset from a jump table.
            if try read(target).isAddressForSure { tableJumps.insert(current) }
            let isTable = tableJumps.contains(current)
            // From now on the register holds the address of code.
            if isTable { try write(.other, to: target) }
            if isTable || hasJumpTables { for index in instructions.indices { flow(state, to: index) } }
            if !isTable { try pass(to: nil) }
        case .return:
            try giveBack()
        default:
            try apply(effect)
            goOn()
        }
    }

    /// A jump through a relocation: a tail call, a return through a thunk, or a jump to another part of the function.
    private mutating func leave(by field: Range<Int>) throws(AddressEscapes) {
        guard let callee = function.callee(field.lowerBound), !callee.isPart else {
            return try refuseIfHeld("a jump to another part of the function")
        }
        if callee.name == "__x86_return_thunk" { return try giveBack() }
        if callee.name.hasPrefix(Self.pointerThunk) {
            if let register = Self.names.firstIndex(where: callee.name.hasSuffix), state[register].mayBeAddress {
                throw AddressEscapes(offset: nil, how: .unknown("a jump to an address within it"))
            }
            if hasJumpTables { for index in instructions.indices { flow(state, to: index) } }
            return try pass(to: nil)
        }
        try pass(to: callee, by: field.lowerBound)
        if givesBackAddress(callee), function.signature.results != 0 { throw AddressEscapes(offset: nil, how: .returned) }
    }

    private static let pointerThunk = "__x86_indirect_thunk_"
    private static let names = [
        "_rax", "_rcx", "_rdx", "_rbx", "_rsp", "_rbp", "_rsi", "_rdi", "_r8", "_r9", "_r10", "_r11", "_r12", "_r13", "_r14", "_r15",
    ]

    private func giveBack() throws(AddressEscapes) {
        let results = [Register.rax, .rdx].prefix(function.signature.results ?? 2)
        // The second register is part of a result only together with the first.
        guard !state[.rax].isUndefined, results.contains(where: { state[$0].mayBeAddress }) else { return }
        throw AddressEscapes(offset: nil, how: .returned)
    }

    private func refuseIfHeld(_ reason: String) throws(AddressEscapes) {
        if state.holdsAddress { throw AddressEscapes(offset: nil, how: .unknown(reason)) }
    }

    // MARK: Calls

    /// What a call does with arguments that may be the address. When `callee` is nil, the call goes through a pointer, to any function.
    ///
    /// - Parameter slot: the offset of the relocation that names the function.
    private mutating func pass(to callee: Callee?, by slot: Int? = nil) throws(AddressEscapes) {
        var passed: [Register] = []
        let isThunk = callee?.name.hasPrefix(Self.pointerThunk) ?? false
        let reader = callee.flatMap { readers[$0.name] }
        let name = isThunk ? nil : callee?.name
        let count = callee?.signature.arguments
        for (position, register) in Register.arguments.prefix(count ?? 6).enumerated() {
            let value = state[register]
            // Arguments are passed without gaps.
            if value.isUndefined, count == nil { break }
            if value.isStack { hasStackEscaped = true }
            guard value.mayBeAddress else { continue }
            guard let reader else {
                passed.append(register)
                continue
            }
            if reader.written.contains(position) { throw AddressEscapes(offset: nil, how: .passed(to: name)) }
        }
        if !passed.isEmpty, !onlyReads(slot, held: passed) { throw AddressEscapes(offset: nil, how: .passed(to: name)) }
        guard count == nil, reader == nil else { return }
        // Further arguments are at the stack's top. No call passes more than fourteen.
        let top = state[.rsp].frame
        if state.slots.keys.contains(where: { slot in top.map { (0..<64).contains(slot - $0) } ?? true }) {
            throw AddressEscapes(offset: nil, how: .passed(to: name))
        }
    }

    /// Whether a function of the same object, entered with the address in some registers, only reads through it. Often the function does not
    /// even look at these registers: a value that happens to be left in a register is not an argument.
    private func onlyReads(_ slot: Int?, held: [Register]) -> Bool {
        guard depth < Self.depthLimit, let slot, let body = function.body(slot) else { return false }
        do {
            var inner = try AddressAnalysis(slots: [], function: body, readers: readers, held: held, depth: depth + 1)
            try inner.run()
            return true
        } catch {
            return false
        }
    }

    /// Whether the callee only reads and may return a pointer into the constant.
    private func givesBackAddress(_ callee: Callee?) -> Bool {
        guard let reader = callee.flatMap({ readers[$0.name] }) else { return false }
        return Register.arguments.enumerated().contains { reader.returned.contains($0) && state[$1].mayBeAddress }
    }

    private mutating func call(_ callee: Callee?, by slot: Int? = nil) throws(AddressEscapes) {
        let returnsAddress = givesBackAddress(callee)
        try pass(to: callee, by: slot)
        if let top = state[.rsp].frame { state.slots = state.slots.filter { $0.key >= top } }
        // Compilers know which registers the functions of an object leave alone, and programmers know it of their assembly.
        let mayKeep = callee.map { $0.isInSameObject || $0.name.hasPrefix(Self.pointerThunk) || Self.assembly.contains($0.name) } ?? true
        for register in Register.scratch {
            if mayKeep { state[register].mayBeOther = true } else { state[register] = .undefined }
        }
        let results = callee?.signature.results
        if results != 0 {
            if results != nil || !mayKeep || !state[.rax].mayBeAddress { state[.rax] = .other }
            if results != 1 { state[.rdx].isUndefined = false }
        }
        if returnsAddress { state[.rax] = .maybeAddress }
    }

    /// Functions that inline assembly calls. The assembly says which registers they leave alone.
    private static let assembly: Set<String> = [
        "early_hypercall", "hv_hcall_page", "arch_generic_hweightl", "generic_hweight32", "generic_hweight64",
    ]

    // MARK: Operands

    mutating func read(_ operand: Operand) throws(AddressEscapes) -> TrackedValue {
        switch operand {
        case .register(let register, let width, let isSecondByte):
            return state.read(register, width: width, isSecondByte: isSecondByte)
        case .immediate(let field, _):
            return slots.contains(field) ? .address : .other
        case .memory(let memory, let width):
            guard isOnStack(memory) else { return .other }
            return state.load(frameOffset(memory), width: width)
        }
    }

    mutating func write(_ value: TrackedValue, to operand: Operand) throws(AddressEscapes) {
        switch operand {
        case .immediate: break
        case .register(let register, let width, let isSecondByte):
            state.write(value, to: register, width: width, isSecondByte: isSecondByte)
        case .memory(let memory, let width):
            try refuseWrites(to: memory)
            if value.isStack { hasStackEscaped = true }
            let place = isOnStack(memory) ? frameOffset(memory) : nil
            if value.mayBeAddress {
                // From the return address on, the memory is the caller's.
                guard let place, place < 0, width == 8 else { throw AddressEscapes(offset: nil, how: .stored) }
                if spill == nil { spill = instructions[current].offset }
            }
            if let place { state.store(value, at: place, width: width) } else if isOnStack(memory) { state.storeSomewhere() }
        }
    }

    func refuseWrites(to memory: Memory) throws(AddressEscapes) {
        if memory.field.map({ slots.contains($0) }) ?? false || memory.registers.contains(where: { state[$0].mayBeAddress }) {
            throw AddressEscapes(offset: nil, how: .unknown("a write to it"))
        }
    }

    func isOnStack(_ memory: Memory) -> Bool { memory.registers.contains { state[$0].isStack } }

    /// Where in the frame a memory operand is, in bytes from the return address; nil when that is not certain.
    func frameOffset(_ memory: Memory) -> Int64? {
        guard memory.isExact, memory.index == nil, let base = memory.base, let frame = state[base].frame else { return nil }
        if let field = memory.field, relocated.contains(field.lowerBound) { return nil }
        return frame &+ memory.displacement
    }

    /// Whether an immediate is a number, and not the address of something.
    func isNumber(_ operand: Operand) -> Bool {
        if case .immediate(let field, _) = operand { !relocated.contains(field.lowerBound) } else { false }
    }

    var instruction: Instruction { instructions[current] }
    mutating func noteStackEscape() { hasStackEscaped = true }
}
