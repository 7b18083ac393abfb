/// A list whose first four elements lie in place: the policies that apply to a request are few, and a list of them on every
/// request should cost no allocation.
@usableFromInline
package struct InlineList<Element: Sendable>: RandomAccessCollection, Sendable {
    @usableFromInline var length = 0
    @usableFromInline var first: Element?
    @usableFromInline var second: Element?
    @usableFromInline var third: Element?
    @usableFromInline var fourth: Element?
    @usableFromInline var rest: [Element]?

    @inlinable package init() {}

    @inlinable package init(_ element: Element) {
        first = element
        length = 1
    }

    @inlinable package var count: Int { length }
    @inlinable package var startIndex: Int { 0 }
    @inlinable package var endIndex: Int { length }

    @inlinable package subscript(index: Int) -> Element {
        switch index {
        case 0: first!
        case 1: second!
        case 2: third!
        case 3: fourth!
        default: rest![index - 4]
        }
    }

    @inlinable package mutating func append(_ element: Element) {
        switch length {
        case 0: first = element
        case 1: second = element
        case 2: third = element
        case 3: fourth = element
        default: rest = (rest ?? []) + [element]
        }
        length += 1
    }
}

extension InlineList: ExpressibleByArrayLiteral {
    @inlinable package init(arrayLiteral elements: Element...) {
        self.init()
        for element in elements { append(element) }
    }
}
