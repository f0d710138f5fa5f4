// Frames with their offloads through a SOCK_SEQPACKET socket, one each message: between a VM's card and the virtual switch.
#pragma once

#include <functional>
#include <span>

#include "base/ints.h"
#include "packet/offload.h"

namespace pileus::packet {

// False: there is no room now. A frame that the other side cannot get at all is lost.
[[nodiscard]] bool send_frame(int socket, const Offload& offload, std::span<const u8> frame);

// The next frame, whose bytes go to the front of `room`; empty when there is none, or it is no frame. What is longer than
// `room` comes cut off, with *whole false.
[[nodiscard]] std::span<u8> receive_frame(int socket, std::span<u8> room, Offload* offload, bool* whole);

}  // namespace pileus::packet
