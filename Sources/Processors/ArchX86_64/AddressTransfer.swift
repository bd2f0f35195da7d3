import TargetArchitecture

/// How single instructions change which registers and slots may hold the address.
extension AddressAnalysis {
    mutating func apply(_ effect: InstructionEffect) throws(AddressEscapes) {
        switch effect {
        case .none, .jump, .call, .jumpThrough, .callThrough, .return: break
        case .move(let target, let source):
            let value = try read(source)
            try write(value, to: target)
        case .set(let target):
            try write(.other, to: target)
        case .compute(let computation):
            try compute(computation)
        case .addressOf(let memory, let target):
            let value = try address(of: memory)
            try write(value, to: target)
        case .add(let target, let source):
            let value = try sum(try read(target), try read(source), constant: number(source))
            try write(value, to: target)
        case .subtract(let target, let source):
            try subtract(target, source)
        case .and(let target, let source):
            try mask(target, source)
        case .compare(let a, let b):
            let (x, y) = (try read(a), try read(b))
            guard x.mayBeAddress || y.mayBeAddress, a != b, !isNumber(a), !isNumber(b) else { break }
            // Both are the address: a loop's bound is derived from the address itself.
            guard x.isAddressForSure, y.isAddressForSure else { throw AddressEscapes(offset: nil, how: .compared) }
        case .test(let a, let b):
            let (x, y) = (try read(a), try read(b))
            guard x.mayBeAddress || y.mayBeAddress, a != b, !isNumber(b) else { break }
            throw AddressEscapes(offset: nil, how: .compared)
        case .conditionalMove(let target, let source):
            let (old, new) = (try read(target), try read(source))
            try write(old.or(new), to: target)
        case .exchange(let a, let b):
            let (x, y) = (try read(a), try read(b))
            try write(y, to: a)
            try write(x, to: b)
        case .compareExchange(let place, let new):
            let old = try read(place)
            if state[.rax].mayBeAddress || old.mayBeAddress { throw AddressEscapes(offset: nil, how: .compared) }
            let value = try read(new)
            if value.mayBeAddress { throw AddressEscapes(offset: nil, how: .stored) }
            try write(value, to: place)
            try write(.other, to: .register(.rax, width: 8))
        case .push(let source):
            let value = try read(source)
            move(stackPointerBy: -8)
            try write(value, to: .memory(Memory(base: .rsp), width: 8))
        case .pop(let target):
            let value = state.load(state[.rsp].frame, width: 8)
            move(stackPointerBy: 8)
            try write(value, to: target)
        case .leave:
            state[.rsp] = .stack(state[.rbp].frame)
            let value = state.load(state[.rsp].frame, width: 8)
            move(stackPointerBy: 8)
            state[.rbp] = value
        case .string(let kind, let width, let isRepeated):
            try string(kind, width: width, isRepeated)
        }
    }

    private func number(_ operand: Operand) -> Int64? {
        if isNumber(operand), case .immediate(_, let value) = operand { value } else { nil }
    }

    private mutating func move(stackPointerBy distance: Int64) {
        state[.rsp] = .stack(state[.rsp].frame.map { $0 &+ distance })
    }

    private mutating func compute(_ computation: Computation) throws(AddressEscapes) {
        let reason = computation.leadsElsewhere ? "an instruction that this program does not follow" : "arithmetic with it"
        var readsFramePointer = false
        for source in computation.reads {
            let value = try read(source)
            if value.mayBeAddress { throw AddressEscapes(offset: nil, how: .unknown(reason)) }
            if value.isStack { readsFramePointer = true }
        }
        let targets = computation.writes + computation.mayWrite
        if readsFramePointer, computation.leadsElsewhere || targets.contains(where: \.isMemory) { noteStackEscape() }
        for target in computation.writes { try writeNumber(to: target) }
        for target in computation.mayWrite {
            if case .memory(let memory, _) = target {
                try refuseWrites(to: memory)
                if isOnStack(memory) { state.storeSomewhere() }
            } else {
                let old = try read(target)
                try write(old.or(.other), to: target)
            }
        }
    }

    /// Writes a number that does not come from the address. A stack pointer stays a stack pointer.
    private mutating func writeNumber(to target: Operand) throws(AddressEscapes) {
        let isStackPointer = if case .register(.rsp, _, _) = target { true } else { false }
        try write(isStackPointer ? .stack(nil) : .other, to: target)
    }

    // MARK: Sums and differences

    /// - Parameter constant: the value of `b` when it is a number in the instruction; nil when not.
    private func sum(_ a: TrackedValue, _ b: TrackedValue, constant: Int64?) throws(AddressEscapes) -> TrackedValue {
        if a.mayBeAddress && b.mayBeAddress { throw AddressEscapes(offset: nil, how: .unknown("arithmetic with it")) }
        var result = a.mayBeAddress ? a : b.mayBeAddress ? b : .other
        if result.cleanBytes > 0 { (result.mayBeOther, result.cleanBytes) = (true, 0) }
        result.isUndefined = false
        result.isStack = a.isStack || b.isStack
        result.frame = nil
        if a.isStack, let frame = a.frame, let constant { result.frame = frame &+ constant }
        return result
    }

    private mutating func subtract(_ target: Operand, _ source: Operand) throws(AddressEscapes) {
        let (x, y) = (try read(target), try read(source))
        if let constant = number(source) {
            let value = try sum(x, .other, constant: 0 &- constant)
            return try write(value, to: target)
        }
        if x.isAddressForSure, y.isAddressForSure { return try write(.other, to: target) }
        if x.mayBeAddress || y.mayBeAddress { throw AddressEscapes(offset: nil, how: .compared) }
        // The distance between two places of the frame is a number.
        try write(x.isStack && !y.isStack ? .stack(nil) : .other, to: target)
    }

    private mutating func mask(_ target: Operand, _ source: Operand) throws(AddressEscapes) {
        let (x, y) = (try read(target), try read(source))
        if x.mayBeAddress || y.mayBeAddress { throw AddressEscapes(offset: nil, how: .unknown("arithmetic with it")) }
        // Small masks align a stack pointer. Larger ones find what Xen keeps at the stack's end.
        if x.isStack, let constant = number(source), constant >= -64 { return try write(.stack(nil), to: target) }
        try writeNumber(to: target)
    }

    private mutating func address(of memory: Memory) throws(AddressEscapes) -> TrackedValue {
        var value = TrackedValue.other
        if let base = memory.base {
            value = try sum(state.read(base, width: 8, isSecondByte: false), .other, constant: memory.displacement)
        }
        if let index = memory.index {
            let second = state.read(index, width: 8, isSecondByte: false)
            if second.mayBeAddress, memory.scale > 1 {
                throw AddressEscapes(offset: nil, how: .unknown("arithmetic with it"))
            }
            value = try sum(value, second, constant: nil)
        }
        if let field = memory.field, slots.contains(field) { value = try sum(value, .address, constant: nil) }
        if frameOffset(memory) == nil { value.frame = nil }
        return value
    }

    // MARK: Others

    private mutating func string(
        _ kind: InstructionEffect.StringInstruction, width: Int, _ isRepeated: Bool
    ) throws(AddressEscapes) {
        if isRepeated, state[.rcx].mayBeAddress { throw AddressEscapes(offset: nil, how: .unknown("arithmetic with it")) }
        switch kind {
        case .move, .store:
            if state[.rdi].mayBeAddress { throw AddressEscapes(offset: nil, how: .unknown("a write to it")) }
            if kind == .store, try read(.register(.rax, width: width)).mayBeAddress { throw AddressEscapes(offset: nil, how: .stored) }
            // A copy of the frame includes what was spilled there.
            if kind == .move, state[.rsi].isStack { noteStackEscape() }
            if state[.rdi].isStack { state.storeSomewhere() }
        case .scan:
            if try read(.register(.rax, width: width)).mayBeAddress { throw AddressEscapes(offset: nil, how: .compared) }
            if state[.rdi].isStack { noteStackEscape() }
        case .compare:
            if state[.rsi].isStack || state[.rdi].isStack { noteStackEscape() }
        case .load:
            let value: TrackedValue = state[.rsi].isStack ? state.load(nil, width: width) : .other
            try write(value, to: .register(.rax, width: width))
        }
        state[.rsi].frame = nil
        state[.rdi].frame = nil
        if isRepeated { state[.rcx] = .other }
    }
}
