import FuzzTargets

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

// What libFuzzer calls; its own `main` is in the compiler's runtime. Built by `make fuzz` only.

/// Called again and again, each time with another input.
///
/// - Returns: 0 always. An input is a finding when it ends the process, takes longer than the fuzzer was told, or more memory.
@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let bytes = start.map { Array(UnsafeBufferPointer(start: $0, count: count)) } ?? []
    chosen.feed(bytes)
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
