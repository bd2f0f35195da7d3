import CZlib

/// The contents of a gzip file (RFC 1952).
///
/// - Parameter limit: the most that the result may have, in bytes.
/// - Returns: nil when the file is damaged or cut short, or when its contents are larger than `limit`.
package func gunzip(_ bytes: [UInt8], limit: Int) -> [UInt8]? {
    var stream = z_stream()
    // 16 asks for a gzip header, 15 is the largest window.
    guard inflateInit2_(&stream, 16 + 15, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK else { return nil }
    defer { inflateEnd(&stream) }
    var input = bytes
    var output = [UInt8](repeating: 0, count: limit)
    let status = input.withUnsafeMutableBufferPointer { source in
        output.withUnsafeMutableBufferPointer { target in
            stream.next_in = source.baseAddress
            stream.avail_in = UInt32(clamping: source.count)
            stream.next_out = target.baseAddress
            stream.avail_out = UInt32(clamping: target.count)
            return inflate(&stream, Z_FINISH)
        }
    }
    guard status == Z_STREAM_END else { return nil }
    return Array(output.prefix(limit - Int(stream.avail_out)))
}
