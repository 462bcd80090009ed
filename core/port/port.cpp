#include "port/port.h"

#include "spec/registers.h"

namespace polypath::port {

void Port::ring_sq(std::uint16_t qid, std::uint16_t tail, unsigned dstrd) {
  write_register(spec::sq_doorbell(qid, dstrd), tail, 4);
}

void Port::ring_cq(std::uint16_t qid, std::uint16_t head, unsigned dstrd) {
  write_register(spec::cq_doorbell(qid, dstrd), head, 4);
}

}  // namespace polypath::port
