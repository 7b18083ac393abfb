package import GateHTTP

extension IdentityFields {
    private static let names = [
        "X-Gatehouse-User", "X-Gatehouse-Email", "X-Gatehouse-Email-Verified", "X-Gatehouse-Name", "X-Gatehouse-Org", "X-Gatehouse-Roles",
        "X-Gatehouse-Session", "X-Gatehouse-Assertion",
    ]
    private static let starts = names.map { Array("\($0):".utf8) }

    /// Of nobody: an empty field for each.
    package static let ofNobody = completed(EncodedFields())

    /// With an empty field for each that is not there, as a proxy wants it that copies them by their names: where one is missing, nginx keeps
    /// none, but Caddy 2.6 sends the application the words of its own configuration (`{http.reverse_proxy.header.X-Gatehouse-User}`).
    ///
    /// - Parameter fields: as ``encode(_:audience:assertions:at:)`` makes them, or none.
    package static func completed(_ fields: EncodedFields) -> EncodedFields {
        var present: UInt8 = 0
        fields.first.withUnsafeBufferPointer { bytes in
            var start = 0
            while start < bytes.count {
                let line = bytes[start...]
                if let name = starts.firstIndex(where: { line.starts(with: $0) }) { present |= 1 << UInt8(name) }
                start = (line.firstIndex(of: UInt8(ascii: "\n")) ?? bytes.count) + 1
            }
        }
        var completed = fields
        var absent: [UInt8] = []
        for (index, name) in names.enumerated() where present & 1 << UInt8(index) == 0 { absent += "\(name): \r\n".utf8 }
        completed.append(EncodedFields(lines: absent))
        return completed
    }
}
