/// The name that was probably meant: the one with the fewest edits, if those are at most a third of its length and not more than
/// three. `nil` where none is near, or `text` is unreasonably long.
func nearestName(to text: String, among names: some Sequence<String>) -> String? {
    guard text.utf8.count <= 100 else { return nil }
    let typed = Array(text.lowercased().utf8)
    var best: (name: String, distance: Int)?
    for name in names {
        let distance = editDistance(typed, Array(name.lowercased().utf8))
        guard distance <= min(3, max(1, name.utf8.count / 3)), distance < best?.distance ?? .max else { continue }
        best = (name, distance)
    }
    return best?.name
}

/// Insertions, removals, replacements and swaps of neighbours (optimal string alignment).
func editDistance(_ left: [UInt8], _ right: [UInt8]) -> Int {
    var beforeLast: [Int] = []
    var last = Array(0...right.count)
    for (row, byte) in left.enumerated() {
        var current = [row + 1]
        for (column, other) in right.enumerated() {
            var cost = min(last[column] + (byte == other ? 0 : 1), last[column + 1] + 1, current[column] + 1)
            if row > 0, column > 0, byte == right[column - 1], left[row - 1] == other { cost = min(cost, beforeLast[column - 1] + 1) }
            current.append(cost)
        }
        beforeLast = last
        last = current
    }
    return last[right.count]
}
