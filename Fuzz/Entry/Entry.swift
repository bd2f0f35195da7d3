import FuzzTargets

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// Hands one of the targets to libFuzzer. Built by `make fuzz` only.
@main enum Entry {
    static func main() {
        _ = chosen
        _ = runDriver(&argumentCount, &arguments, feedChosen)
    }
}

nonisolated(unsafe) private var argumentCount = CommandLine.argc
nonisolated(unsafe) private var arguments = CommandLine.unsafeArgv

/// Called again and again, each time with another input. An input is a finding when it ends the process, takes longer than the fuzzer was
/// told, or more memory.
private func feedChosen(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    chosen.feed(start.map { Array(UnsafeBufferPointer(start: $0, count: count)) } ?? [])
    return 0
}

/// The one that the environment variable `XSPLICE_FUZZ` names.
private let chosen: FuzzTarget = {
    let name = getenv("XSPLICE_FUZZ").map { String(cString: $0) } ?? ""
    guard let target = FuzzTarget(rawValue: name) else {
        print("XSPLICE_FUZZ is to name one of \(FuzzTarget.allCases.map(\.rawValue).joined(separator: ", "))")
        exit(64)
    }
    return target
}()

/// libFuzzer's own entry, of the compiler's runtime.
@_silgen_name("LLVMFuzzerRunDriver")
private func runDriver(
    _ count: UnsafeMutablePointer<CInt>, _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>>,
    _ callback: @convention(c) (UnsafePointer<UInt8>?, Int) -> CInt
) -> CInt
