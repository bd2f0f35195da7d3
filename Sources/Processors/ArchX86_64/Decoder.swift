import CZydis

// Zydis knows the instruction set. No other code here reads prefixes, opcodes or ModRM bytes, except to recognise a few fixed patterns.

/// Zydis, set to 64-bit mode.
enum Decoder {
    typealias Decoded = UnsafePointer<ZydisDecodedInstruction>

    /// For lengths and fields alone: 0.07 µs per instruction, measured over a whole Xen. With operands and effects it takes 0.5 µs.
    private static let brief = make(isBrief: true)
    private static let full = make(isBrief: false)

    private static func make(isBrief: Bool) -> ZydisDecoder {
        // These calls fail only for a mode that the library does not have.
        var decoder = ZydisDecoder()
        _ = ZydisDecoderInit(&decoder, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64)
        if isBrief { _ = ZydisDecoderEnableMode(&decoder, ZYDIS_DECODER_MODE_MINIMAL, 1) }
        return decoder
    }

    /// Walks through code, instruction by instruction.
    ///
    /// - Parameter visit: gets an instruction's start, in bytes from the start of the code, and its layout. Returning false ends the walk.
    /// - Returns: whether the walk reached the end of the code: every instruction could be decoded, and `visit` never returned false.
    static func walk(_ code: ArraySlice<UInt8>, _ visit: (_ offset: Int, InstructionLayout) -> Bool) -> Bool {
        each(code) { offset, layout, _ in visit(offset, layout) }
    }

    /// As `walk`. `visit` also gets what Zydis says of the instruction, without operands; nil for one that Zydis does not know.
    static func each(_ code: ArraySlice<UInt8>, _ visit: (_ offset: Int, InstructionLayout, Decoded?) -> Bool) -> Bool {
        code.withUnsafeBytes { bytes in
            withUnsafeTemporaryAllocation(of: ZydisDecodedInstruction.self, capacity: 1) { storage in
                withUnsafePointer(to: brief) { decoder in
                    guard let instruction = storage.baseAddress else { return false }
                    var offset = 0
                    while offset < bytes.count {
                        let rest = UnsafeRawBufferPointer(rebasing: bytes[offset...])
                        let status = ZydisDecoderDecodeInstruction(decoder, nil, rest.baseAddress, ZyanUSize(rest.count), instruction)
                        let isKnown = zydis_succeeded(status) != 0
                        let layout = isKnown ? InstructionLayout(instruction, rest) : RecentInstruction(rest)?.layout
                        guard let layout, visit(offset, layout, isKnown ? Decoded(instruction) : nil) else { return false }
                        offset += layout.length
                    }
                    return true
                }
            }
        }
    }

    /// Decodes one instruction with all operands: first those in the assembler's text, then the implied ones.
    ///
    /// - Returns: nil when Zydis can't decode the instruction, or when `body` returns nil.
    static func full<R>(
        _ code: ArraySlice<UInt8>, _ body: (Decoded, UnsafeBufferPointer<ZydisDecodedOperand>, UnsafeRawBufferPointer) -> R?
    ) -> R? {
        code.withUnsafeBytes { bytes in
            withUnsafeTemporaryAllocation(of: ZydisDecodedInstruction.self, capacity: 1) { storage in
                withUnsafeTemporaryAllocation(of: ZydisDecodedOperand.self, capacity: Int(ZYDIS_MAX_OPERAND_COUNT)) { operands -> R? in
                    guard let instruction = storage.baseAddress else { return nil }
                    let status = withUnsafePointer(to: full) {
                        ZydisDecoderDecodeFull($0, bytes.baseAddress, ZyanUSize(bytes.count), instruction, operands.baseAddress)
                    }
                    guard zydis_succeeded(status) != 0 else { return nil }
                    let used = operands.prefix(Int(instruction.pointee.operand_count))
                    return body(instruction, UnsafeBufferPointer(rebasing: used), bytes)
                }
            }
        }
    }

    /// One instruction as text, in AT&T syntax.
    ///
    /// - Parameter offset: of the instruction in its function. Branch targets are written as offsets in that function.
    /// - Returns: nil when Zydis can't decode the instruction.
    static func text(_ code: ArraySlice<UInt8>, at offset: Int) -> String? {
        full(code) { instruction, operands, _ in
            withUnsafeTemporaryAllocation(of: ZydisFormatter.self, capacity: 1) { formatters in
                withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { buffer -> String? in
                    guard let formatter = formatters.baseAddress, let start = buffer.baseAddress,
                        zydis_succeeded(ZydisFormatterInit(formatter, ZYDIS_FORMATTER_STYLE_ATT)) != 0,
                        // As objdump writes numbers: `0x1e0`.
                        zydis_succeeded(ZydisFormatterSetProperty(formatter, ZYDIS_FORMATTER_PROP_ADDR_PADDING_ABSOLUTE, 0)) != 0,
                        zydis_succeeded(ZydisFormatterSetProperty(formatter, ZYDIS_FORMATTER_PROP_HEX_UPPERCASE, 0)) != 0,
                        zydis_succeeded(
                            ZydisFormatterFormatInstruction(
                                formatter, instruction, operands.baseAddress, instruction.pointee.operand_count_visible, start,
                                ZyanUSize(buffer.count), ZyanU64(offset), nil)) != 0
                    else { return nil }
                    return String(cString: start)
                }
            }
        }
    }
}
